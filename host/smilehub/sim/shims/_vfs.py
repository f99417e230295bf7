"""``vfs`` without the host's file system."""

import _sim

__name__ = "vfs"
_native = _sim.native_vfs
mount = _native.mount
umount = _native.umount
VfsFat = _native.VfsFat
VfsLfs2 = _native.VfsLfs2
