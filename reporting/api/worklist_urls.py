from __future__ import annotations

from django.urls import URLPattern, path

from reporting.api import filters, orders, worklist

urlpatterns: list[URLPattern] = [
    path("orders/", orders.Orders.as_view(), name="api-orders"),
    path("orders/<int:order_id>/", orders.OrderDoor.as_view(), name="api-order"),
    path("orders/<int:order_id>/cancel/", orders.CancelOrder.as_view(), name="api-order-cancel"),
    path("worklist/", worklist.WorklistDoors.as_view(), name="api-worklist"),
    path("worklist/next/", worklist.Next.as_view(), name="api-worklist-next"),
    path("worklist/readers/", worklist.Readers.as_view(), name="api-worklist-readers"),
    path("worklist/filters/", filters.Filters.as_view(), name="api-worklist-filters"),
    path("worklist/filters/<int:filter_id>/", filters.FilterDoor.as_view(), name="api-worklist-filter"),
    path("worklist/<int:item_id>/", worklist.ItemDoor.as_view(), name="api-worklist-item"),
    path("worklist/<int:item_id>/claim/", worklist.Claim.as_view(), name="api-worklist-claim"),
    path("worklist/<int:item_id>/heartbeat/", worklist.Heartbeat.as_view(), name="api-worklist-heartbeat"),
    path("worklist/<int:item_id>/release/", worklist.Release.as_view(), name="api-worklist-release"),
    path("worklist/<int:item_id>/put-aside/", worklist.PutAside.as_view(), name="api-worklist-put-aside"),
    path("worklist/<int:item_id>/hold/", worklist.Hold.as_view(), name="api-worklist-hold"),
    path("worklist/<int:item_id>/ready/", worklist.Ready.as_view(), name="api-worklist-ready"),
    path("worklist/<int:item_id>/correct/", worklist.Correct.as_view(), name="api-worklist-correct"),
    path("worklist/<int:item_id>/link/", worklist.Link.as_view(), name="api-worklist-link"),
    path("worklist/<int:item_id>/class/", worklist.ReadingClassOf.as_view(), name="api-worklist-class"),
    path("worklist/<int:item_id>/assign/", worklist.Assign.as_view(), name="api-worklist-assign"),
    path("worklist/<int:item_id>/free/", worklist.Free.as_view(), name="api-worklist-free"),
    path("worklist/<int:item_id>/cancel/", worklist.Cancel.as_view(), name="api-worklist-cancel"),
]
