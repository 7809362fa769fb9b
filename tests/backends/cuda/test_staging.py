"""Transfers through pinned blocks: pieces, reuse of blocks, and how long they are kept."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from tensorcore_cuda.staging import Staging


class Block(np.ndarray):
    """Host memory with an address, in place of pinned memory."""

    @property
    def ptr(self):
        return self.ctypes.data


class Event:
    def __init__(self, queue):
        self.queue = queue
        self.done = False

    def synchronize(self):
        self.queue.run_until(self)


class Queue:
    """A stream that runs what it was given only when somebody waits for it."""

    def __init__(self):
        self.work = []

    def add(self, copy):
        self.work.append(copy)

    def mark(self):
        event = Event(self)
        self.work.append(event)
        return event

    def run_until(self, event):
        while self.work:
            item = self.work.pop(0)
            if isinstance(item, Event):
                item.done = True
                if item is event:
                    return
            else:
                item()


class Device:
    """Memory on the other side of a queue, and the pinned blocks that were asked for."""

    def __init__(self, size, piece):
        self.memory = np.zeros(size, np.uint8)
        self.queue = Queue()
        self.asked = []
        self.staging = Staging(self.allocate, piece)

    def allocate(self, size):
        self.asked.append(size)
        # As a pool does: at least as much as asked for.
        return np.empty(size + 3, np.uint8).view(Block)

    def send(self, offset, address, size):
        target = self.memory.ctypes.data + offset
        self.queue.add(lambda: ctypes.memmove(target, address, size))

    def receive(self, offset, address, size):
        source = self.memory.ctypes.data + offset
        self.queue.add(lambda: ctypes.memmove(address, source, size))


SIZES = [1, 7, 8, 9, 16, 17, 31, 64]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_uploaded_arrives(size):
    device = Device(size, piece=8)
    data = np.arange(size, dtype=np.uint8)
    device.staging.upload(memoryview(data), device.send, device.queue.mark)
    data[:] = 255  # the caller may change its memory at once
    device.queue.run_until(None)
    assert device.memory.tolist() == list(range(size))
    assert device.asked == ([size] if size <= 8 else [8, 8])


@pytest.mark.parametrize("size", SIZES)
def test_what_is_downloaded_is_what_the_device_has(size):
    device = Device(size, piece=8)
    device.memory[:] = np.arange(size) + 1
    got = device.staging.download(size, device.receive, device.queue.mark)
    assert bytes(got) == bytes(range(1, size + 1))
    assert len(got) == size


def test_a_small_upload_does_not_wait():
    device = Device(8, piece=8)
    device.staging.upload(memoryview(bytes(8)), device.send, device.queue.mark)
    assert device.queue.work, "nothing has been waited for"


def test_blocks_are_kept_until_the_device_has_read_them():
    device = Device(8, piece=8)
    for _ in range(3):
        device.staging.upload(memoryview(bytes(8)), device.send, device.queue.mark)
    assert device.staging.busy == 3
    device.queue.run_until(None)
    device.staging.release()
    assert device.staging.busy == 0


def test_a_block_is_refilled_only_after_it_was_read():
    device = Device(40, piece=8)
    data = bytes(range(40))
    device.staging.upload(memoryview(data), device.send, device.queue.mark)
    # Three of five pieces had to be on the device before their blocks took the next ones.
    assert bytes(device.memory[:24]) == data[:24]
    device.queue.run_until(None)
    assert bytes(device.memory) == data


def test_a_download_outlives_later_ones():
    device = Device(4, piece=8)
    device.memory[:] = 1
    first = device.staging.download(4, device.receive, device.queue.mark)
    device.memory[:] = 2
    device.staging.download(4, device.receive, device.queue.mark)
    assert bytes(first) == b"\x01" * 4
