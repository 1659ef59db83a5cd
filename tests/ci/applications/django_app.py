"""The wards as a Django application, with django-ninja and with the REST framework; its own settings module."""

SECRET_KEY = "for tests"
ROOT_URLCONF = "django_urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "drf_spectacular"]
USE_TZ = True
DEBUG = False
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema", "UNAUTHENTICATED_USER": None}
