from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "config"
    verbose_name = "Start-up"

    def ready(self) -> None:
        from config import checks  # noqa: F401 - registers them
