from stacks.start import start

start()
