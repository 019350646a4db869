"""The pages, as a person with a browser meets them."""

from django.test import Client, TestCase
from django.urls import reverse

from agreements.models import Agreement

NEW = {"title": "Lease of the mill", "terms": "Twelve months.\n\nRent in advance.", "status": "active"}


class Pages(TestCase):
    def create(self, **changes: str):  # noqa: ANN201 - Django's test response has no public type
        return self.client.post(reverse("agreements:create"), {**NEW, "parties": "Ada\nBert", **changes})

    def test_an_empty_list_leads_to_the_form(self) -> None:
        response = self.client.get("/")
        self.assertContains(response, "There are no agreements yet")
        self.assertContains(response, reverse("agreements:create"))

    def test_a_created_agreement_is_shown_and_listed(self) -> None:
        response = self.create()
        agreement = Agreement.objects.get()
        self.assertRedirects(response, agreement.get_absolute_url(), fetch_redirect_response=False)
        page = self.client.get(agreement.get_absolute_url())
        for text in ("Lease of the mill", "Ada", "Bert", "Rent in advance.", "Active", "The agreement is stored."):
            self.assertContains(page, text)
        self.assertContains(self.client.get("/"), "Ada, Bert")

    def test_the_page_about_pactum_needs_no_database(self) -> None:
        """The benchmarks take it for a page without a query."""
        with self.assertNumQueries(0):
            self.assertContains(self.client.get("/about/"), "About Pactum")

    def test_names_are_trimmed_and_keep_their_order(self) -> None:
        self.create(parties="  Zoe \n\n Ada   Lovelace ")
        self.assertEqual([party.name for party in Agreement.objects.get().parties.all()], ["Zoe", "Ada Lovelace"])

    def test_what_is_wrong_is_said_and_nothing_is_stored(self) -> None:
        cases = {
            "one party": ({"parties": "Ada"}, "at least 2 parties"),
            "the same party twice": ({"parties": "Ada\nada"}, "named once"),
            "an overlong name": ({"parties": f"Ada\n{'b' * 201}"}, "at most 200 characters"),
            "too many parties": ({"parties": "\n".join(f"party {n}" for n in range(51))}, "at most 50 parties"),
            "no title": ({"title": " "}, "This field is required"),
            "an overlong title": ({"title": "t" * 201}, "at most 200 characters"),
            "no terms": ({"terms": ""}, "This field is required"),
            "an unknown status": ({"status": "signed"}, "not one of the available choices"),
        }
        for case, (changes, message) in cases.items():
            with self.subTest(case):
                response = self.create(**changes)
                self.assertContains(response, message)
                self.assertContains(response, 'aria-invalid="true"')
                self.assertFalse(Agreement.objects.exists(), "a refused form must leave no half agreement behind")

    def test_text_of_users_is_escaped(self) -> None:
        self.create(title="<script>alert(1)</script>", terms="<b>bold</b>", parties="<i>Ada</i>\nBert")
        for address in ("/", Agreement.objects.get().get_absolute_url()):
            page = self.client.get(address).content.decode()
            for mark in ("<script>", "<b>bold", "<i>Ada"):
                self.assertNotIn(mark, page, "users could run scripts in each other's browsers")

    def test_the_list_has_pages_and_asks_the_database_a_fixed_number_of_times(self) -> None:
        for number in range(30):
            self.create(title=f"Agreement {number}")
        self.client.get("/")  # shows and so removes the stored messages
        with self.assertNumQueries(3):
            first = self.client.get("/")
        self.assertContains(first, "Page 1 of 2")
        self.assertContains(first, "Agreement 29")
        self.assertNotContains(first, "Agreement 0<")
        self.assertContains(self.client.get("/?page=2"), "Agreement 0<")

    def test_an_unknown_agreement_is_a_404_with_a_way_back(self) -> None:
        self.assertContains(self.client.get("/agreements/99/"), "See all agreements", status_code=404)

    def test_a_form_without_its_token_is_refused(self) -> None:
        response = Client(enforce_csrf_checks=True).post(reverse("agreements:create"), NEW)
        self.assertEqual(response.status_code, 403)

    def test_the_admin_asks_for_a_login(self) -> None:
        self.assertRedirects(self.client.get("/admin/"), "/admin/login/?next=/admin/")

    def test_a_stylesheet_with_a_hash_in_its_name_may_be_cached_for_ever(self) -> None:
        page = self.client.get("/").content.decode()
        address = page.split('rel="stylesheet" href="')[1].split('"')[0]
        self.assertRegex(address, r"/static/agreements/pactum\.[0-9a-f]{12}\.css")
        response = self.client.get(address, headers={"Accept-Encoding": "gzip"})
        self.assertTrue(b"".join(response.streaming_content))
        self.assertEqual(response.status_code, 200)
        self.assertIn("immutable", response["Cache-Control"])
        self.assertEqual(response["Content-Encoding"], "gzip", "the compressed file is made when the image is built")
