"""The profiler: which ops, gradient rules and modules run when, for how long, and what memory they take."""

from tensorcore.profiler.events import EventList, FunctionEvent, FunctionEventAvg
from tensorcore.profiler.modules import ModuleAverage, ModuleList
from tensorcore.profiler.session import (
    ProfilerAction,
    ProfilerActivity,
    profile,
    record_function,
    schedule,
    supported_activities,
    tensorboard_trace_handler,
)

__all__ = [
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "ModuleAverage",
    "ModuleList",
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]
