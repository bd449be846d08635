# SPDX-License-Identifier: MIT
"""The emulator's command line."""
import os

QEMU = "qemu-system-riscv64"
EPOCH = "2026-01-01T00:00:00"


def prepare_disks(disks, directory):
    """Paths of all disks; those given as a size are made, empty."""
    paths = []
    for i, (path, size) in enumerate(disks):
        if path is None:
            path = os.path.join(directory, f"disk{i}")
            with open(path, "wb") as file:
                file.truncate(size)
        paths.append(path)
    return paths


def command_line(machine, options, image, tree, archive, disks):
    """The words that boot @image. @archive is (path, address)."""
    path, address = archive
    command = [QEMU, "-M", "virt", "-cpu", "rv64", "-bios", "default",
               "-smp", str(machine.harts_emulated), "-m", f"{machine.ram_end}B",
               "-kernel", image, "-dtb", tree,
               "-device", f"loader,file={path.replace(',', ',,')},addr={address:#x},force-raw=on",
               "-display", "none", "-monitor", "none", "-serial", "stdio",
               "-nic", "none"]  # whose timers would go on while the machine sleeps for ever
    for i, disk in enumerate(disks):
        command += ["-drive", f"file={disk.replace(',', ',,')},format=raw,if=none,id=disk{i}",
                    "-device", f"virtio-blk-device,drive=disk{i}"]
    if disks:
        command += ["-global", "virtio-mmio.force-legacy=false"]
    if options.batch is not None:
        command += ["-no-reboot"]
    if options.icount:
        # Time is counted in instructions, also while all harts sleep, and starts at a fixed date.
        command += ["-icount", "shift=0,sleep=off", "-rtc", f"base={EPOCH},clock=vm"]
    if options.seed is not None:
        command += ["-seed", str(options.seed)]
    if options.gdb is not None:
        command += ["-S", "-gdb", f"tcp:127.0.0.1:{options.gdb}"]
    return command
