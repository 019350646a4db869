"""What must work of the way in, where users come over HTTPS: tried through the balancer's listener for plain HTTP."""

from urllib.parse import urlsplit

from rehearsal.balancer_client import BalancerClient
from rehearsal.errors import RehearsalError
from rehearsal.place import Place
from rehearsal.realisers.edge import records
from rehearsal.realisers.tools import Tools

MOVED = 301
# Nothing of the application's: the balancer itself must answer.
ASKED = "/somewhere/?kept=1"


def http_redirects(place: Place, url: str) -> None:
    """Who comes over plain HTTP is sent to the same page over HTTPS, whatever name he came by."""
    domain = urlsplit(url).hostname
    for name in (domain, f"other.{domain}"):
        answer = BalancerClient(place=place, url=f"http://{name}").get(ASKED)
        sent_to = urlsplit(answer.headers.get("location", ""))
        found = (answer.status, sent_to.scheme, sent_to.hostname, f"{sent_to.path}?{sent_to.query}")
        if found != (MOVED, "https", domain, ASKED):
            raise RehearsalError(
                f"http://{name}{ASKED} answered {answer.status} with location {sent_to.geturl() or 'none'}"
                f" instead of {MOVED} with https://{domain}{ASKED}"
            )


def domain_leads_to_balancer(tools: Tools, url: str) -> None:
    """The domain's record points to the balancer. Nothing is asked of a domain whose zone is not the program's."""
    domain = f"{urlsplit(url).hostname}."
    kept = records(tools)
    if not kept:
        return
    targets = [record["AliasTarget"]["DNSName"].rstrip(".") for record in kept if record["Name"] == domain]
    balancers = [one["DNSName"] for one in tools.client("elbv2").describe_load_balancers()["LoadBalancers"]]
    if targets != balancers:
        raise RehearsalError(f"{domain} leads to {targets or 'nowhere'}; the balancer is {', '.join(balancers)}")
