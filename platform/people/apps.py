from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "people"
    verbose_name = "People"

    def ready(self) -> None:
        from people import trail  # noqa: F401 - hears of sign-ins
        from people.second_factor_secrets import renew
        from vault.rotation import rotates_too

        rotates_too(renew)
