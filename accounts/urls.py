from django.urls import path

from accounts import views
from accounts.content_security import csp_report

urlpatterns = [
    path("accounts/sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("accounts/sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("accounts/password/", views.Password.as_view(), name="password"),
    path("csp-report/", csp_report, name="csp-report"),
    path("sign-in/link/<str:token>/", views.sign_in_link, name="sign-in-link"),
]
