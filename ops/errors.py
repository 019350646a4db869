"""What can go wrong, as one message and one exit code, wherever it went wrong."""

from __future__ import annotations

from botocore import exceptions as aws

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_CANNOT_ACT = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


class OpsError(Exception):
    """The command was carried out and its answer is no: exit code 1."""

    exit_code = EXIT_FAILED


class CannotAct(OpsError):  # noqa: N818 - reads as what happened
    """The command could not be carried out, because something it needs is missing or wrong: exit code 2."""

    exit_code = EXIT_CANNOT_ACT


class Terminated(KeyboardInterrupt):
    """SIGTERM: someone asked this process to end."""


SIGN_IN = (
    "Sign in (`aws sso login`), choose a profile (AWS_PROFILE) or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; "
    "`aws sts get-caller-identity` shows who you are."
)
BAD_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"}
THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
UNREACHABLE = (
    aws.EndpointConnectionError,
    aws.ConnectTimeoutError,
    aws.ReadTimeoutError,
    aws.ConnectionClosedError,
    aws.ProxyConnectionError,
    aws.SSLError,
)
NO_CREDENTIALS = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.TokenRetrievalError,
    aws.SSOError,
)


def code_of(error: aws.ClientError) -> str:
    """AWS's name for the error, such as `AccessDeniedException`."""
    return error.response.get("Error", {}).get("Code", "")


def message_of(error: aws.ClientError) -> str:
    """AWS's own sentence about the error."""
    return error.response.get("Error", {}).get("Message", "") or code_of(error)


def explain(error: aws.ClientError | aws.BotoCoreError) -> OpsError:
    """Turn an error of AWS or of its SDK into a message with what to do about it."""
    if isinstance(error, aws.ClientError):
        return _explain_answer(error)
    if isinstance(error, NO_CREDENTIALS):
        return CannotAct(f"no usable AWS credentials: {error}\n{SIGN_IN}")
    if isinstance(error, aws.ProfileNotFound):
        return CannotAct(f"{error}\nAWS_PROFILE names a profile that ~/.aws/config does not have.")
    if isinstance(error, aws.NoRegionError):
        return CannotAct("no AWS region is chosen. Set AWS_REGION, or `region` in the profile.")
    if isinstance(error, UNREACHABLE):
        return CannotAct(
            f"AWS does not answer: {error}\n"
            "Check the network, the proxy (HTTPS_PROXY) and, if it is set, AWS_ENDPOINT_URL. Running again is safe.",
        )
    return CannotAct(f"the AWS SDK refused the request: {error}")


def _explain_answer(error: aws.ClientError) -> OpsError:
    code, said = code_of(error), message_of(error)
    operation = error.operation_name
    if code in BAD_CREDENTIALS:
        return CannotAct(
            f"AWS does not accept these credentials ({code}): {said}\n{SIGN_IN} Check this machine's clock."
        )
    if code in DENIED:
        return CannotAct(f"AWS refused {operation}: {said}\nThe role or user in use needs permission for {operation}.")
    if code in THROTTLED:
        return CannotAct(f"AWS limits how often {operation} may be called: {said}\nWait a minute and run again.")
    if code == "ClusterNotFoundException":
        return CannotAct(
            "this account and region have no ECS cluster for the stack. "
            "Check --stack, --project, the region and the account, or deploy the stack first (`pulumi up`).",
        )
    return OpsError(f"AWS answered {operation} with {code}: {said}")
