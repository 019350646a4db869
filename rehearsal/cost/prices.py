"""List prices of us-east-1 in USD, before any free allowance.

AWS's own pages show their prices by script only, and nothing here can ask them. CloudWatch's and Lambda's are as public
copies of the list agree on them (api-evangelist's plans of May 2026, c3x.dev, artillery's table for Lambda); SNS's are
from memory. See https://aws.amazon.com/cloudwatch/pricing/ and https://aws.amazon.com/sns/pricing/ before you rely on
them.
"""

from decimal import Decimal

AS_OF = "2026-05, copies of AWS's list for us-east-1; SNS from memory; not verified with AWS"

# A month each. An alarm on metric math is paid for by the metrics in it.
ALARM_METRIC = Decimal("0.10")
COMPOSITE_ALARM = Decimal("0.50")
DASHBOARD = Decimal("3.00")
# By the hours in which it has data: one that is rarely published costs less.
CUSTOM_METRIC = Decimal("0.30")

METRIC_REQUEST = Decimal("0.01") / 1000
LOG_INGESTED_GIB = Decimal("0.50")
LOG_KEPT_GIB_MONTH = Decimal("0.03")
LOG_SCANNED_GIB = Decimal("0.005")
FUNCTION_REQUEST = Decimal("0.20") / 1_000_000
FUNCTION_GIB_SECOND = {"arm64": Decimal("0.0000133334"), "x86_64": Decimal("0.0000166667")}
MAIL = Decimal("2.00") / 100_000
HTTPS_MESSAGE = Decimal("0.60") / 1_000_000
