"""External repositories, all of them on this machine: the build never downloads anything.

`offline_rules` stands in for the rule sets that Bazel 4 would fetch from the network (it only re-exports
Bazel's native rules). `system_library` makes a target of a library that the operating system has installed,
and says which Debian package brings a missing one.
"""

_RE_EXPORTS = {
    "rules_cc": (
        "cc/defs.bzl",
        ["cc_binary", "cc_import", "cc_library", "cc_test", "cc_toolchain", "cc_toolchain_suite"],
    ),
    "rules_java": (
        "java/defs.bzl",
        [
            "java_binary",
            "java_import",
            "java_library",
            "java_runtime",
            "java_test",
            "java_toolchain",
        ],
    ),
    "rules_proto": ("proto/defs.bzl", ["proto_lang_toolchain", "proto_library"]),
}

def _offline_rules_impl(ctx):

    # Bazel's test rules name these even where no coverage is asked for.
    ctx.file("BUILD", """
[
    filegroup(
        name = name,
        visibility = ["//visibility:public"],
    )
    for name in [
        "coverage_report_generator",
        "lcov_merger",
    ]
]
""")
    if ctx.attr.rules:
        path, names = _RE_EXPORTS[ctx.attr.rules]
        folder = path.split("/")[0]
        lines = ["%s = native.%s" % (name, name) for name in names]
        ctx.file(folder + "/BUILD", "")
        ctx.file(path, "\n".join(lines) + "\n")

_offline_rules = repository_rule(
    implementation = _offline_rules_impl,
    attrs = {"rules": attr.string()},
)

def offline_rules():
    """Replaces the rule sets that Bazel would download by ones that need no network."""
    for name in _RE_EXPORTS:
        _offline_rules(name = name, rules = name)
    _offline_rules(name = "remote_coverage_tools")

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
