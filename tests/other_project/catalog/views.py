from django.conf import settings
from django.shortcuts import redirect, render

from .models import Product


def products(request):
    if request.method == "POST":
        Product.objects.create(name=request.POST["name"])
        return redirect("/products/")
    return render(
        request,
        "catalog/products.html",
        {
            "shop": settings.SHOP_NAME,
            "payable": bool(settings.PAYMENT_API_KEY),
            "own_key": settings.SECRET_KEY == settings.ENVIRONMENT.secret_key,
            "products": Product.objects.order_by("name"),
        },
    )
