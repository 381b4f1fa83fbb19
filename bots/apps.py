from django.apps import AppConfig


class BotsConfig(AppConfig):
    name = "bots"
    verbose_name = "Bots"

    def ready(self) -> None:
        from django_q.signals import post_spawn

        from bots.engine.worker_process import on_spawn

        post_spawn.connect(on_spawn, dispatch_uid="bots.worker_process")
