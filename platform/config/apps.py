from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ProjectConfig(AppConfig):
    name = "config"
    verbose_name = "Start-up"

    def ready(self) -> None:
        from config import checks  # noqa: F401 - registers them
        from console.roles import set_roles_after_migrate
        from logs import sentry

        sentry.start()
        post_migrate.connect(set_roles_after_migrate, dispatch_uid="console.roles")
