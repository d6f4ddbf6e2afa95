"""A slow line that loses packets, between TUN devices: relay.py SEED DELAY_MS LOSS_PERCENT NAME=ADDRESS...

Makes a device of each name and says "ready". Each may then be moved to a network namespace of its own: this process keeps
hold of it. An IP packet that comes out of one goes into the one of its destination after the delay, unless it is lost,
which the seed decides packet by packet. When standard input ends, so does the line, and says as JSON what it carried.
"""

import fcntl
import heapq
import ipaddress
import itertools
import json
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
LONGEST_PACKET = 65536


def open_device(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def destination(packet):
    """The address that an IPv4 packet goes to. Nothing for others, such as those by which IPv6 looks for routers."""
    return packet[16:20] if len(packet) >= 20 and packet[0] >> 4 == 4 else None


def packets(device):
    """All packets that wait in a device."""
    while True:
        try:
            yield os.read(device, LONGEST_PACKET)
        except BlockingIOError:
            return


class Line:
    def __init__(self, seed, delay, loss, places):
        self.chance, self.delay, self.loss = random.Random(seed), delay, loss
        self.devices, self.at, self.addresses = {}, {}, {}
        for name, address in places:
            device = open_device(name)
            packed = ipaddress.IPv4Address(address).packed
            self.devices[packed], self.at[device], self.addresses[packed] = device, packed, address
        ways = itertools.permutations(self.devices, 2)
        self.ways = {way: {"carried": 0, "lost": 0} for way in ways}
        self.waiting, self.order, self.shortest = [], itertools.count(), None

    def take(self, device):
        for packet in packets(device):
            way = (self.at[device], destination(packet))
            if way not in self.ways:
                continue
            if self.chance.random() < self.loss:
                self.ways[way]["lost"] += 1
                continue
            heapq.heappush(self.waiting, (time.monotonic() + self.delay, next(self.order), way, packet))

    def give(self):
        """Passes on whatever is due; seconds until the next is."""
        while self.waiting:
            due, _, way, packet = self.waiting[0]
            now = time.monotonic()
            if due > now:
                return due - now
            heapq.heappop(self.waiting)
            os.write(self.devices[way[1]], packet)
            held = now - due + self.delay
            self.shortest = held if self.shortest is None else min(self.shortest, held)
            self.ways[way]["carried"] += 1
        return None

    def run(self, until):
        poll = select.poll()
        for device in [until, *self.at]:
            poll.register(device, select.POLLIN)
        while True:
            rest = self.give()
            # Rounded up, so that what is due then is.
            ready = poll.poll(None if rest is None else int(rest * 1000) + 1)
            for device, _ in ready:
                if device == until:
                    return
                self.take(device)

    def report(self):
        name = self.addresses
        ways = [{"from": name[a], "to": name[b], **count} for (a, b), count in self.ways.items()]
        return {"ways": ways, "shortest_ms": None if self.shortest is None else self.shortest * 1000}


def main():
    seed, delay, loss = sys.argv[1:4]
    places = [place.split("=") for place in sys.argv[4:]]
    line = Line(int(seed), float(delay) / 1000, float(loss) / 100, places)
    print("ready", flush=True)
    line.run(sys.stdin.fileno())
    print(json.dumps(line.report()), flush=True)


main()
