"""Builds for any x86-64 processor from 2013 on: the flag --//.bazel:portable, and files that have it set."""

def _no_files(_ctx):
    return []

bool_setting = rule(implementation = _no_files, build_setting = config.bool(flag = True))

def _portable_settings(settings, _attr):
    return {
        "//command_line_option:copt": settings["//command_line_option:copt"] + ["-march=x86-64-v3"],
        "//.bazel:portable": True,
    }

_portable = transition(
    implementation = _portable_settings,
    inputs = ["//command_line_option:copt"],
    outputs = ["//command_line_option:copt", "//.bazel:portable"],
)

def _portable_files(ctx):
    files = depset(transitive = [target[DefaultInfo].files for target in ctx.attr.srcs])
    return [DefaultInfo(files = files, runfiles = ctx.runfiles(transitive_files = files))]

# What `srcs` are in such a build, whatever the rest is built for.
portable_files = rule(
    implementation = _portable_files,
    attrs = {
        "srcs": attr.label_list(cfg = _portable, allow_files = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)
