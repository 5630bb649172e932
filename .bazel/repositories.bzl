"""External repositories, all of them on this machine: the build never downloads anything.

`system_library` makes a target of a library that the operating system has installed, and says which Debian package
brings a missing one.
"""

def _system_library_impl(ctx):
    for header in ctx.attr.probes:
        if not ctx.path(header).exists:
            fail("%s is not on this machine (no %s): run ./bazelw instead of bazel once, or: apt-get install %s" %
                 (ctx.name, header, ctx.attr.package))
    includes = []
    for folder in ctx.attr.include_folders:
        ctx.symlink(folder, "include/" + folder.split("/")[-1])
        includes.append("include/" + folder.split("/")[-1])
    ctx.file("BUILD", """
cc_library(
    name = "{name}",
    hdrs = glob(["include/**"], allow_empty = True),
    includes = {includes},
    linkopts = {linkopts},
    visibility = ["//visibility:public"],
)
""".format(name = ctx.name, includes = includes, linkopts = ctx.attr.linkopts))

system_library = repository_rule(
    implementation = _system_library_impl,
    doc = "A library that the operating system has installed. Headers under /usr/include need no folder here.",
    attrs = {
        "include_folders": attr.string_list(doc = "folders to search for headers, as system headers"),
        "linkopts": attr.string_list(),
        "package": attr.string(mandatory = True, doc = "the Debian package that brings it"),
        "probes": attr.string_list(mandatory = True, doc = "files that exist where it is installed"),
    },
    local = True,
)
