"""One target per plugin file, found by glob: a new plugin is a new file and nothing else."""

def plugin_folder(name, deps = [], deps_of = {}):
    """Makes a target of every .cc file in this folder, and `name`, which links them all.

    Args:
      name: of the target that links every plugin of the folder.
      deps: libraries that the folder's plugins use besides the plugin headers.
      deps_of: libraries that single plugins use, by their names; others are not rebuilt for these.
    """
    plugins = [source[:-len(".cc")] for source in native.glob(["*.cc"])]
    for plugin in plugins:
        native.cc_library(
            name = plugin,
            srcs = [plugin + ".cc"],
            alwayslink = True,
            deps = ["//framework/plugin:sdk"] + deps + deps_of.get(plugin, []),
        )
    native.filegroup(
        name = "sources",
        srcs = native.glob(["*.cc"]),
        visibility = ["//tests:__subpackages__"],
    )
    native.cc_library(
        name = name,
        visibility = ["//plugins:__pkg__"],
        deps = [":" + plugin for plugin in plugins],
    )
