from django.apps import AppConfig
from django.contrib.admin import apps as admin


class ConsoleConfig(AppConfig):
    name = "console"
    verbose_name = "Console"
    default = True


class DeskAdminConfig(admin.AdminConfig):
    default = False
    default_site = "console.site.DeskSite"
