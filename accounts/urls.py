from django.urls import path

from accounts import recovery, session_views, single_sign_on_logout, single_sign_on_views, token_views, views
from accounts import second_factor_views as factors
from accounts.content_security import csp_report

urlpatterns = [
    path("accounts/sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("accounts/sign-out/", views.SignOut.as_view(), name="sign-out"),
    path("accounts/password/", views.Password.as_view(), name="password"),
    path("accounts/forgotten/", recovery.PasswordForgotten.as_view(), name="password-forgotten"),
    path("accounts/forgotten/<str:uidb64>/<str:token>/", recovery.PasswordReset.as_view(), name="password-reset"),
    # second factors; the names with an underscore are those by which django-allauth finds the pages
    path("accounts/", factors.Account.as_view(), name="account"),
    path("accounts/sign-in/", views.SignIn.as_view(), name="account_login"),
    path("accounts/sign-in/second-factor/", factors.SecondFactor.as_view(), name="mfa_authenticate"),
    path("accounts/sign-in/passkey/", factors.PasskeySignIn.as_view(), name="mfa_login_webauthn"),
    path("accounts/confirm/", factors.PasswordAgain.as_view(), name="account_reauthenticate"),
    path("accounts/confirm/code/", factors.CodeAgain.as_view(), name="mfa_reauthenticate"),
    path("accounts/confirm/passkey/", factors.PasskeyAgain.as_view(), name="mfa_reauthenticate_webauthn"),
    path("accounts/", factors.Account.as_view(), name="mfa_index"),
    path("accounts/", factors.Account.as_view(), name="mfa_list_webauthn"),
    path("accounts/app/add/", factors.AddApp.as_view(), name="mfa_activate_totp"),
    path("accounts/app/remove/", factors.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("accounts/passkeys/add/", factors.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("accounts/passkeys/<int:pk>/remove/", factors.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("accounts/passkeys/<int:pk>/name/", factors.RenamePasskey.as_view(), name="mfa_edit_webauthn"),
    path("accounts/recovery-codes/", factors.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path("accounts/recovery-codes/new/", factors.NewRecoveryCodes.as_view(), name="mfa_generate_recovery_codes"),
    path("accounts/sessions/", session_views.session_list, name="sessions"),
    path("accounts/sessions/end/", session_views.session_end, name="session-end"),
    path("accounts/session/", session_views.session_state, name="session-state"),
    path("accounts/tokens/", token_views.tokens, name="tokens"),
    path("accounts/tokens/<int:token>/revoke/", token_views.token_revoke, name="token-revoke"),
    path("accounts/single-sign-on/", single_sign_on_views.start, name="single-sign-on"),
    path("accounts/single-sign-on/back/", single_sign_on_views.BackView.as_view(), name="single-sign-on-back"),
    path("accounts/single-sign-on/logout/", single_sign_on_logout.logout, name="single-sign-on-logout"),
    path("accounts/single-sign-on/confirm/", single_sign_on_views.confirm, name="single-sign-on-confirm"),
    path("accounts/single-sign-on/connect/", single_sign_on_views.connect, name="single-sign-on-connect"),
    path("accounts/confirmed/", single_sign_on_views.confirmed, name="confirmed"),
    path("csp-report/", csp_report, name="csp-report"),
    path("sign-in/link/<str:token>/", views.sign_in_link, name="sign-in-link"),
]
