"""The reference provincial platform (省级平台): the far end of the terminal's HTTPS wire.

Built from docs/platform.md alone. ``hw_sim.platform.server.PlatformServer`` runs it in a
thread of the calling process, ``python -m hw_sim.platform`` by itself.
"""
