"""Agreements in Django's admin."""

from django.contrib import admin

from agreements.models import Agreement, Party


class PartyInline(admin.TabularInline):
    """The parties, edited within their agreement."""

    model = Party
    min_num = 2
    extra = 0


@admin.register(Agreement)
class AgreementAdmin(admin.ModelAdmin):
    """Agreements, searchable by title and party."""

    list_display = ("title", "status", "created_at")
    list_filter = ("status",)
    search_fields = ("title", "parties__name")
    date_hierarchy = "created_at"
    inlines = (PartyInline,)
