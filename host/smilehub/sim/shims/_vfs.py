"""``vfs`` without the host's file system."""

from _native import vfs as _native

__name__ = "vfs"
mount = _native.mount
umount = _native.umount
VfsFat = _native.VfsFat
VfsLfs2 = _native.VfsLfs2
