from stacks.application import deploy

deploy()
