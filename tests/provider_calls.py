"""What the AWS provider calls for each type of resource, and on which ARN, by the service authorization reference.

`{n}` is the prefix of the stack, `{s}` project and stack as a path. What it reads is in every role that previews.
"""

from __future__ import annotations

from tests.recorder import ACCOUNT, REGION

EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}:"
A = f"{REGION}:{ACCOUNT}:"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{{n}}-web-task-0a1b2c3"
LB = f"arn:aws:elasticloadbalancing:{A}"

# type: (resource, actions that make and change it, actions that delete it)
CALLS: dict[str, tuple[str, str, str]] = {
    "aws:ec2/vpc:Vpc": (f"{EC2}vpc/vpc-1", "ec2:CreateVpc ec2:ModifyVpcAttribute ec2:CreateTags", "ec2:DeleteVpc"),
    "aws:ec2/subnet:Subnet": (
        f"{EC2}subnet/s-1",
        "ec2:CreateSubnet ec2:ModifySubnetAttribute ec2:CreateTags",
        "ec2:DeleteSubnet",
    ),
    "aws:ec2/routeTable:RouteTable": (f"{EC2}route-table/r-1", "ec2:CreateRouteTable", "ec2:DeleteRouteTable"),
    "aws:ec2/route:Route": (f"{EC2}route-table/r-1", "ec2:CreateRoute ec2:ReplaceRoute", "ec2:DeleteRoute"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": (
        f"{EC2}route-table/r-1",
        "ec2:AssociateRouteTable ec2:ReplaceRouteTableAssociation",
        "ec2:DisassociateRouteTable",
    ),
    "aws:ec2/internetGateway:InternetGateway": (
        f"{EC2}internet-gateway/i-1",
        "ec2:CreateInternetGateway ec2:AttachInternetGateway",
        "ec2:DetachInternetGateway ec2:DeleteInternetGateway",
    ),
    "aws:ec2/natGateway:NatGateway": (f"{EC2}natgateway/n-1", "ec2:CreateNatGateway", "ec2:DeleteNatGateway"),
    "aws:ec2/eip:Eip": (f"{EC2}elastic-ip/e-1", "ec2:AllocateAddress", "ec2:ReleaseAddress"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        f"{EC2}vpc-endpoint/v-1",
        "ec2:CreateVpcEndpoint ec2:ModifyVpcEndpoint",
        "ec2:DeleteVpcEndpoints",
    ),
    "aws:ec2/securityGroup:SecurityGroup": (
        f"{EC2}security-group/sg-1",
        "ec2:CreateSecurityGroup ec2:RevokeSecurityGroupEgress ec2:AuthorizeSecurityGroupIngress",
        "ec2:DeleteSecurityGroup",
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": (
        f"{EC2}security-group/sg-2",
        "ec2:RevokeSecurityGroupEgress ec2:RevokeSecurityGroupIngress ec2:CreateTags",
        "",
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        f"{EC2}security-group/sg-1",
        "ec2:AuthorizeSecurityGroupIngress ec2:ModifySecurityGroupRules",
        "ec2:RevokeSecurityGroupIngress",
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
        f"{EC2}security-group/sg-1",
        "ec2:AuthorizeSecurityGroupEgress ec2:ModifySecurityGroupRules",
        "ec2:RevokeSecurityGroupEgress",
    ),
    "aws:ec2/flowLog:FlowLog": (f"{EC2}vpc-flow-log/f-1", "ec2:CreateFlowLogs", "ec2:DeleteFlowLogs"),
    "aws:ecs/cluster:Cluster": (
        f"arn:aws:ecs:{A}cluster/{{n}}",
        "ecs:CreateCluster ecs:UpdateCluster ecs:UpdateClusterSettings",
        "ecs:DeleteCluster",
    ),
    "aws:ecs/service:Service": (
        f"arn:aws:ecs:{A}service/{{n}}/web",
        "ecs:CreateService ecs:UpdateService ecs:TagResource",
        "ecs:DeleteService",
    ),
    "aws:ecs/taskDefinition:TaskDefinition": (
        f"arn:aws:ecs:{A}task-definition/{{n}}-web:1",
        "ecs:RegisterTaskDefinition ecs:TagResource",
        "",  # `skip_destroy`: earlier revisions are what a rollback starts
    ),
    "aws:lb/loadBalancer:LoadBalancer": (
        f"{LB}loadbalancer/app/{{n}}-web-0a1b2c3/1",
        "elasticloadbalancing:CreateLoadBalancer elasticloadbalancing:ModifyLoadBalancerAttributes",
        "elasticloadbalancing:DeleteLoadBalancer",
    ),
    "aws:lb/targetGroup:TargetGroup": (
        f"{LB}targetgroup/{{n}}-web-0a1b2c3/1",
        "elasticloadbalancing:CreateTargetGroup elasticloadbalancing:ModifyTargetGroup",
        "elasticloadbalancing:DeleteTargetGroup",
    ),
    "aws:lb/listener:Listener": (
        f"{LB}listener/app/{{n}}-web-0a1b2c3/1/2",
        "elasticloadbalancing:CreateListener elasticloadbalancing:ModifyListener",
        "elasticloadbalancing:DeleteListener",
    ),
    "aws:lb/listenerRule:ListenerRule": (
        f"{LB}listener-rule/app/{{n}}-web-0a1b2c3/1/2/3",
        "elasticloadbalancing:CreateRule elasticloadbalancing:ModifyRule elasticloadbalancing:SetRulePriorities",
        "elasticloadbalancing:DeleteRule",
    ),
    "aws:rds/instance:Instance": (
        f"arn:aws:rds:{A}db:{{n}}-database",
        "rds:CreateDBInstance rds:ModifyDBInstance rds:AddTagsToResource",
        "",
    ),
    "aws:rds/subnetGroup:SubnetGroup": (
        f"arn:aws:rds:{A}subgrp:{{n}}-database-0a1b2c3",
        "rds:CreateDBSubnetGroup rds:ModifyDBSubnetGroup",
        "rds:DeleteDBSubnetGroup",
    ),
    "aws:rds/parameterGroup:ParameterGroup": (
        f"arn:aws:rds:{A}pg:{{n}}-database-0a1b2c3",
        "rds:CreateDBParameterGroup rds:ModifyDBParameterGroup",
        "rds:DeleteDBParameterGroup",
    ),
    "aws:cloudwatch/logGroup:LogGroup": (
        f"arn:aws:logs:{A}log-group:/{{s}}/web",
        "logs:CreateLogGroup logs:PutRetentionPolicy logs:TagResource",
        "",
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        f"arn:aws:cloudwatch:{A}alarm:{{n}}-target-errors-0a1b2c3",
        "cloudwatch:PutMetricAlarm cloudwatch:TagResource",
        "cloudwatch:DeleteAlarms",
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": (
        f"arn:aws:cloudwatch:{A}alarm:{{n}}-availability-burn-fast",
        "cloudwatch:TagResource",
        "cloudwatch:DeleteAlarms",
    ),
    "aws:cloudwatch/dashboard:Dashboard": (
        f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{{n}}",
        "cloudwatch:PutDashboard",
        "cloudwatch:DeleteDashboards",
    ),
    "aws:cloudwatch/queryDefinition:QueryDefinition": (
        "*",  # they know no resources
        "logs:PutQueryDefinition",
        "logs:DeleteQueryDefinition",
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": (
        f"arn:aws:logs:{A}log-group:/{{s}}/web",
        "logs:PutMetricFilter",
        "logs:DeleteMetricFilter",
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": (
        "*",  # it knows no resources, and AWS keeps others' beside ours: who takes a stack down takes it away
        "logs:PutResourcePolicy",
        "",
    ),
    "aws:cloudwatch/eventRule:EventRule": (
        f"arn:aws:events:{A}rule/{{n}}-tasks-0a1b2c3",
        "events:PutRule events:TagResource",
        "events:DeleteRule",
    ),
    "aws:cloudwatch/eventTarget:EventTarget": (
        f"arn:aws:events:{A}rule/{{n}}-tasks-0a1b2c3",
        "events:PutTargets",
        "events:RemoveTargets",
    ),
    "aws:lambda/function:Function": (
        f"arn:aws:lambda:{A}function:{{n}}-watch",
        "lambda:CreateFunction lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:TagResource",
        "lambda:DeleteFunction",
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (
        f"arn:aws:lambda:{A}function:{{n}}-watch",
        "lambda:PutFunctionEventInvokeConfig lambda:UpdateFunctionEventInvokeConfig",
        "lambda:DeleteFunctionEventInvokeConfig",
    ),
    "aws:lambda/permission:Permission": (
        f"arn:aws:lambda:{A}function:{{n}}-watch",
        "lambda:AddPermission",
        "lambda:RemovePermission",
    ),
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": (
        f"arn:aws:chatbot::{ACCOUNT}:chat-configuration/slack-channel/{{n}}-slack",
        "chatbot:UpdateSlackChannelConfiguration chatbot:TagResource",
        "chatbot:DeleteSlackChannelConfiguration",
    ),
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration": (
        f"arn:aws:chatbot::{ACCOUNT}:chat-configuration/microsoft-teams-channel/{{n}}-teams",
        "chatbot:UpdateMicrosoftTeamsChannelConfiguration chatbot:TagResource",
        "chatbot:DeleteMicrosoftTeamsChannelConfiguration",
    ),
    "aws:sns/topic:Topic": (
        f"arn:aws:sns:{A}{{n}}-pages-0a1b2c3",
        "sns:CreateTopic sns:SetTopicAttributes sns:TagResource",
        "sns:DeleteTopic",
    ),
    "aws:sns/topicPolicy:TopicPolicy": (f"arn:aws:sns:{A}{{n}}-pages-0a1b2c3", "sns:SetTopicAttributes", ""),
    "aws:sns/topicSubscription:TopicSubscription": (
        f"arn:aws:sns:{A}{{n}}-pages-0a1b2c3",
        "sns:Subscribe",
        "sns:Unsubscribe",
    ),
    "aws:secretsmanager/secret:Secret": (
        f"arn:aws:secretsmanager:{A}secret:{{s}}/secret-key-0a1b2c",
        "secretsmanager:CreateSecret secretsmanager:UpdateSecret secretsmanager:TagResource",
        "",
    ),
    "aws:dynamodb/table:Table": (
        f"arn:aws:dynamodb:{A}table/{{n}}-releases",
        "dynamodb:CreateTable dynamodb:UpdateTable dynamodb:UpdateContinuousBackups dynamodb:TagResource",
        "",
    ),
    "aws:iam/role:Role": (ROLE, "iam:CreateRole iam:TagRole iam:UpdateAssumeRolePolicy", "iam:DeleteRole"),
    "aws:iam/rolePolicy:RolePolicy": (ROLE, "iam:PutRolePolicy", "iam:DeleteRolePolicy"),
    "aws:s3/bucket:Bucket": ("arn:aws:s3:::{n}-media-0a1b2c3", "s3:CreateBucket s3:PutBucketTagging", ""),
    "aws:s3/bucketPolicy:BucketPolicy": ("arn:aws:s3:::{n}-media-0a1b2c3", "s3:PutBucketPolicy", ""),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        "arn:aws:s3:::{n}-media-0a1b2c3",
        "s3:PutBucketPublicAccessBlock",
        "",
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (
        "arn:aws:s3:::{n}-media-0a1b2c3",
        "s3:PutBucketOwnershipControls",
        "",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": ("arn:aws:s3:::{n}-media-0a1b2c3", "s3:PutBucketVersioning", ""),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "arn:aws:s3:::{n}-media-0a1b2c3",
        "s3:PutEncryptionConfiguration",
        "",
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        "arn:aws:s3:::{n}-media-0a1b2c3",
        "s3:PutLifecycleConfiguration",
        "",
    ),
    "aws:acm/certificate:Certificate": (
        f"arn:aws:acm:{A}certificate/1",
        "acm:RequestCertificate acm:AddTagsToCertificate",
        "acm:DeleteCertificate",
    ),
    "aws:route53/record:Record": (
        "arn:aws:route53:::hostedzone/Z0123456789EXAMPLE",
        "route53:ChangeResourceRecordSets",
        "route53:ChangeResourceRecordSets",
    ),
    "aws:appautoscaling/target:Target": (
        f"arn:aws:application-autoscaling:{A}scalable-target/1",
        "application-autoscaling:RegisterScalableTarget application-autoscaling:TagResource",
        "application-autoscaling:DeregisterScalableTarget",
    ),
    "aws:appautoscaling/policy:Policy": (
        f"arn:aws:application-autoscaling:{A}scalable-target/1",
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:DeleteScalingPolicy",
    ),
    "aws:scheduler/schedule:Schedule": (
        f"arn:aws:scheduler:{A}schedule/{{n}}/{{n}}-clear-sessions",
        "scheduler:CreateSchedule scheduler:UpdateSchedule",
        "scheduler:DeleteSchedule",
    ),
    "aws:scheduler/scheduleGroup:ScheduleGroup": (
        f"arn:aws:scheduler:{A}schedule-group/{{n}}",
        "scheduler:CreateScheduleGroup scheduler:TagResource",
        "scheduler:DeleteScheduleGroup",
    ),
    "aws:sqs/queue:Queue": (
        f"arn:aws:sqs:{A}{{n}}-missed-0a1b2c3",
        "sqs:CreateQueue sqs:SetQueueAttributes sqs:TagQueue",
        "sqs:DeleteQueue",
    ),
    "aws:sqs/queuePolicy:QueuePolicy": (f"arn:aws:sqs:{A}{{n}}-missed-0a1b2c3", "sqs:SetQueueAttributes", ""),
    "aws:wafv2/webAcl:WebAcl": (
        f"arn:aws:wafv2:{A}regional/webacl/{{n}}-firewall-0a1b2c3/1",
        "wafv2:CreateWebACL wafv2:UpdateWebACL wafv2:TagResource",
        "wafv2:DeleteWebACL",
    ),
    "aws:wafv2/webAclAssociation:WebAclAssociation": (
        f"arn:aws:wafv2:{A}regional/webacl/{{n}}-firewall-0a1b2c3/1",
        "wafv2:AssociateWebACL",
        "wafv2:DisassociateWebACL",
    ),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": (
        f"arn:aws:wafv2:{A}regional/webacl/{{n}}-firewall-0a1b2c3/1",
        "wafv2:PutLoggingConfiguration",
        "wafv2:DeleteLoggingConfiguration",
    ),
}
VPC, SUBNET, GROUP = f"{EC2}vpc/vpc-1", f"{EC2}subnet/s-1", f"{EC2}security-group/sg-1"
# What else AWS asks for, by type of resource: (resource, actions, whether the resource carries the stack's tags).
FURTHER: dict[str, list[tuple[str, str, bool]]] = {
    # What a new thing is put in.
    "aws:ec2/subnet:Subnet": [(VPC, "ec2:CreateSubnet", True)],
    "aws:ec2/routeTable:RouteTable": [(VPC, "ec2:CreateRouteTable", True)],
    "aws:ec2/routeTableAssociation:RouteTableAssociation": [(SUBNET, "ec2:AssociateRouteTable", True)],
    "aws:ec2/internetGateway:InternetGateway": [(VPC, "ec2:AttachInternetGateway ec2:DetachInternetGateway", True)],
    "aws:ec2/natGateway:NatGateway": [
        (SUBNET, "ec2:CreateNatGateway", True),
        (f"{EC2}elastic-ip/e-1", "ec2:CreateNatGateway", True),
    ],
    "aws:ec2/securityGroup:SecurityGroup": [(VPC, "ec2:CreateSecurityGroup", True)],
    "aws:ec2/flowLog:FlowLog": [(VPC, "ec2:CreateFlowLogs", True)],
    "aws:ec2/vpcEndpoint:VpcEndpoint": [
        (VPC, "ec2:CreateVpcEndpoint", True),
        (SUBNET, "ec2:CreateVpcEndpoint ec2:ModifyVpcEndpoint", True),
        (GROUP, "ec2:CreateVpcEndpoint ec2:ModifyVpcEndpoint", True),
        (f"{EC2}route-table/r-1", "ec2:CreateVpcEndpoint ec2:ModifyVpcEndpoint", True),
        ("arn:aws:route53:::hostedzone/Z0OFAWS", "route53:AssociateVPCWithHostedZone", False),
    ],
    "aws:rds/instance:Instance": [
        (f"arn:aws:rds:{A}og:default:postgres-17", "rds:CreateDBInstance rds:ModifyDBInstance", False),
        (f"arn:aws:rds:{A}subgrp:{{n}}-database-0a1b2c3", "rds:CreateDBInstance", True),
        (f"arn:aws:rds:{A}pg:{{n}}-database-0a1b2c3", "rds:CreateDBInstance rds:ModifyDBInstance", True),
        (
            f"arn:aws:secretsmanager:{A}secret:rds!db-1",
            "secretsmanager:CreateSecret secretsmanager:TagResource",
            False,
        ),
        (f"arn:aws:kms:{A}key/1", "kms:DescribeKey", False),
    ],
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": [("*", "cloudwatch:PutCompositeAlarm", False)],
    "aws:appautoscaling/policy:Policy": [
        (
            f"arn:aws:cloudwatch:{A}alarm:TargetTracking-service/{{n}}/web-AlarmHigh-1",
            "cloudwatch:PutMetricAlarm cloudwatch:DescribeAlarms cloudwatch:DeleteAlarms",
            False,
        ),
    ],
    "aws:chatbot/slackChannelConfiguration:SlackChannelConfiguration": [
        ("*", "chatbot:CreateSlackChannelConfiguration", False),
    ],
    "aws:chatbot/teamsChannelConfiguration:TeamsChannelConfiguration": [
        ("*", "chatbot:CreateMicrosoftTeamsChannelConfiguration", False),
    ],
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": [
        ("*", "logs:CreateLogDelivery logs:UpdateLogDelivery logs:PutResourcePolicy logs:DeleteLogDelivery", False),
    ],
}
# These wait for what another resource makes, and call nothing that changes anything.
WAITING = {"aws:acm/certificateValidation:CertificateValidation"}
