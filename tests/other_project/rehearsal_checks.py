"""What the rehearsal tries of the shop besides what it tries of any application."""

import re
import secrets
from urllib.parse import urlencode

PATHS = ("/products/",)


def check_shop_is_open(site):
    page = site.user().get("/products/")
    assert page.status == 200, page.status
    assert "The Teal Shop" in page.body, "SHOP_NAME did not arrive"
    assert "Open for business" in page.body, "PAYMENT_API_KEY or SHOP_SIGNING_KEY did not arrive"
    style = re.search(r'href="(/static/[^"]+)"', page.body)[1]
    assert "teal" in site.user().get(style).body, "the style sheet is not served"


def check_a_product_survives_its_task(site):
    user, name = site.user(), f"Kettle {secrets.token_hex(4)}"
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', user.get("/products/").body)[1]
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Referer": f"{site.url.rstrip('/')}/products/"}
    body = urlencode({"csrfmiddlewaretoken": token, "name": name})
    assert user.request("POST", "/products/", headers=headers, body=body).status == 302
    site.replace_tasks()
    assert name in site.user().get("/products/").body, "the product is gone"
