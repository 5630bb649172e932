"""Stand-ins for the rule sets that Bazel 4 would fetch from the network: they re-export Bazel's native rules.

Installed beside the plugin headers too, so that plugins are built without a network (`trainer plugin new`).
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
    """Replaces the rule sets that Bazel 4 would download by ones that need no network."""
    if native.bazel_version and not native.bazel_version.startswith("4."):
        return
    for name in list(_RE_EXPORTS) + ["remote_coverage_tools"]:
        if name not in native.existing_rules():
            _offline_rules(name = name, rules = name if name in _RE_EXPORTS else "")
