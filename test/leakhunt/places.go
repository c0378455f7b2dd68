package leakhunt

// Place is one where a token is found legitimately, in the words of SECURITY.md.
type Place string

// The places where a token may be, with what brings it there. Anywhere else it is a leak.
const (
	Source                Place = "where the token comes from: its file beneath `--token-dir`, or what its provider reads"
	ControllerEnvironment Place = "the environment of the controller's process, with `tokenRef.env`"
	MisplacedInSpec       Place = "the spec file into which its author wrote it by mistake"

	FileArchive Place = "`docker cp`: the archive of the sidecar's volume, with `File`"
	FileDisk    Place = "the sidecar's volume on the host's disk, with `File`"

	EnvInspect  Place = "`docker inspect` of the sidecar: `Config.Env`, with `Env`"
	EnvProcess  Place = "the environment of the sidecar's process, with `Env`"
	EnvConfig   Place = "`config.v2.json` of the sidecar's container on the host's disk, with `Env`"
	EnvBundle   Place = "the runtime's `config.json` of the running container, in memory beneath `/run`, with `Env`"
	EnvDatabase Place = "containerd's `meta.db` on the host's disk, with `Env`"
	EnvDebugLog Place = "the log of an engine that logs at debug level, with `Env`"

	AgentsKey Place = "the agent's container, whose environment you gave the caller key"
	TrialsKey Place = "`controller try --key-env` and its container, for as long as it lasts"
)

// Places are all of them, in the order of SECURITY.md.
func Places() []Place {
	return []Place{
		Source, ControllerEnvironment, MisplacedInSpec, FileArchive, FileDisk,
		EnvInspect, EnvProcess, EnvConfig, EnvBundle, EnvDatabase, EnvDebugLog, AgentsKey, TrialsKey,
	}
}
