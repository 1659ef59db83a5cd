"""The addresses of the Django application."""

from django.urls import path
from drf_spectacular.utils import extend_schema
from ninja import NinjaAPI, Schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

api = NinjaAPI(urls_namespace="wards")


class Ward(Schema):
    name: str
    beds: int


@api.get("/wards", response=list[Ward], operation_id="findWards")
def find(request):
    return []


@api.post("/wards", response={201: Ward}, operation_id="addWard")
def add(request, ward: Ward):
    return 201, ward


class WardSerializer(serializers.Serializer):
    name = serializers.CharField()
    beds = serializers.IntegerField()


class Wards(APIView):
    @extend_schema(operation_id="findWards", responses={200: WardSerializer(many=True)})
    def get(self, request):
        return Response([])

    @extend_schema(operation_id="addWard", request=WardSerializer, responses={201: WardSerializer})
    def post(self, request):
        return Response(request.data, status=201)


urlpatterns = [path("api/", api.urls), path("wards", Wards.as_view())]
