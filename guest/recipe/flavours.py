# SPDX-License-Identifier: Apache-2.0
"""What goes into each flavour of the image, as data."""

RELEASE = "trixie"
KERNEL_SUITE = "trixie-backports"
KERNEL = "linux-image-amd64"
KERNEL_PACKAGES = r"linux-(image|binary|modules|base)-\d.*-amd64(-unsigned)?"

# What builds: compiler, the project's libraries and the tools that make the images. Nothing of it
# gets into an image but the libraries that the agent links.
TOOLS = [
    "gcc", "libc6-dev", "binutils", "meson", "ninja-build", "pkgconf", "dash", "coreutils",
    "protobuf-compiler", "libprotobuf-dev", "protobuf-c-compiler", "libprotobuf-c-dev",
    "libssl-dev", "libuv1-dev", "libnghttp2-dev", "libyajl-dev", "libzip-dev", "libcbor-dev",
    "libtss2-dev", "libseccomp-dev", "libcap-dev", "libcurl4-openssl-dev", "uthash-dev", "zlib1g-dev",
    "libzstd-dev",
    "xz-utils", "erofs-utils", "cryptsetup-bin",
]

# Modules that init loads, in this order but behind what they depend on; True: the hardware may be
# absent. What the kernel has built in does not stand here.
MODULES = {
    "virtio_net": False,
    "virtio_blk": False,
    "configfs": False,
    "overlay": False,
    "button": True,
    "evdev": True,
    "tsm_report": False,
    "sev-guest": True,
    "tdx-guest": True,
}

# Libraries that programs load by name, so that no header names them. `bin` algorithms may be in
# C++ or Rust, and the TPM's driver is a plug-in.
LIBRARIES = ["libtss2-tcti-device.so.0", "libstdc++.so.6", "libgcc_s.so.1", "libm.so.6",
             "libpthread.so.0", "libdl.so.2", "librt.so.1"]

# In which form an image takes its boot configuration: what image.json says of it, the file in the initrd by
# which init knows, and modules that are needed more. (common/manifest/bootdisk.h has the disk's form.)
BOOT_FROM = {
    "disk": {"record": {"boot_disk": {"version": 1, "serial": "cocos-boot", "size": 266240}},
             "file": None, "modules": {}},
    "shares": {"record": {"shares": ["env_share", "certs_share"]},
               "file": "from-shares", "modules": {"9pnet_virtio": False, "9p": False}},
}

DISK_MODULES = {"dm-mod": False, "dm-verity": False, "erofs": False}

FLAVOURS = {
    "base": {
        "disk": False,
        "min_memory_mib": 512,
        "packages": ["libc6", "libc-bin", "libstdc++6", "libgcc-s1"],
        "alone": ["ca-certificates"],
        "pick": [],
        "modules": {},
    },
    "python": {
        "disk": True,
        "min_memory_mib": 1024,
        "packages": ["libc6", "libc-bin", "libstdc++6", "libgcc-s1", "python3", "python3-venv",
                     "python3-pip", "python3-numpy", "python3-pandas", "python3-sklearn"],
        "alone": ["ca-certificates", "tzdata"],
        # Folders and files taken whole. No package's programs: only the interpreter.
        "pick": ["usr/lib/python3", "usr/lib/python3.*", "usr/bin/python3", "usr/bin/python3.*",
                 "usr/share/zoneinfo", "usr/share/python-wheels"],
        "modules": DISK_MODULES,
    },
}
# What trains neural networks on the processor: the same, and torch with what is used beside it.
FLAVOURS["torch"] = {
    **FLAVOURS["python"],
    "min_memory_mib": 2048,
    "packages": FLAVOURS["python"]["packages"] +
    ["python3-torch", "python3-torchvision", "python3-matplotlib", "python3-seaborn",
     "python3-joblib", "python3-pil"],
    "pick": FLAVOURS["python"]["pick"] +
    ["etc/matplotlibrc", "usr/share/matplotlib/mpl-data", "usr/share/fonts/truetype"],
}

# WebAssembly: its runtime, which brings a compiler's library of 124 MB along.
FLAVOURS["wasm"] = {
    **FLAVOURS["base"],
    "disk": True,
    "min_memory_mib": 768,
    "packages": FLAVOURS["base"]["packages"] + ["libwasmedge0"],
    "modules": FLAVOURS["python"]["modules"],
    "tools": ["libwasmedge-dev"],
    "options": ("-Dwasm=enabled",),
    "programs": ["cocos-wasm"],
}

# Development images: the same, and the simulated TEEs of tests/teesim in front of the agent. They are
# for tests and for showing things where no hardware is.
SIMULATED_TOOLS = ["libfuse3-dev"]
SIMULATED_MODULES = {"qemu_fw_cfg": False}
for _name in list(FLAVOURS):
    FLAVOURS[_name + "-simulated"] = {
        **FLAVOURS[_name], "simulated": True,
        "modules": {**FLAVOURS[_name]["modules"], **SIMULATED_MODULES},
    }

# Of what is picked, what nothing at run time reads. numpy imports some of its `tests` folders.
LEFT_OUT = [
    "usr/lib/python3/dist-packages/pandas/tests",
    "usr/lib/python3/dist-packages/scipy/**/tests",
    "usr/lib/python3/dist-packages/sklearn/**/tests",
    "usr/lib/python3/dist-packages/joblib/test",
    "usr/lib/python3/dist-packages/matplotlib/tests",
    "usr/lib/python3/dist-packages/mpl_toolkits/**/tests",
    "usr/lib/python3/dist-packages/networkx/**/tests",
    "usr/lib/python3/dist-packages/sympy/**/tests",
    "usr/lib/python3/dist-packages/torch/bin/*[Tt]est*",
    "usr/lib/python3/dist-packages/torch/bin/tutorial*",
    "usr/lib/python3/dist-packages/torch/include",
    "usr/lib/python3/dist-packages/torch/test",
    "usr/lib/python3*/test",
    "usr/lib/python3*/idlelib",
    "usr/lib/python3*/config-*",
    "usr/share/zoneinfo/right",
]
