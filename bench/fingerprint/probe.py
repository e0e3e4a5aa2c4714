import importlib.metadata, importlib.util, json, sys

module, path0 = sys.argv[1:3]
if path0 and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    sys.path[0] = path0  # as it is where the server's script runs

origin = ""
if module:
    spec = importlib.util.find_spec(module)
    if spec is not None:
        origin = spec.origin or next(iter(spec.submodule_search_locations or []), "")

packages = {}
for d in importlib.metadata.distributions():
    name = d.metadata["Name"]
    if not name or name in packages:
        continue  # the first one found is the one in use
    version = d.version or ""
    try:
        commit = json.loads(d.read_text("direct_url.json") or "{}").get("vcs_info", {}).get("commit_id")
    except ValueError:
        commit = None
    packages[name] = version + (" @ " + commit if commit else "")

print("\n" + json.dumps({"executable": sys.executable, "version": sys.version.split()[0], "origin": origin, "packages": packages}))
