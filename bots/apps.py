from typing import Any

from django.apps import AppConfig


class BotsConfig(AppConfig):
    name = "bots"
    verbose_name = "Bots"

    def ready(self) -> None:
        from django_q.signals import post_spawn

        post_spawn.connect(_on_spawn, dispatch_uid="bots.worker_process")


def _on_spawn(**signal: Any) -> None:
    # Here and not above: the engine loads aiohttp, which the web process does not need.
    from bots.engine.worker_process import on_spawn

    on_spawn(**signal)
