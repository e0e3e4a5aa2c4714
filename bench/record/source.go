package record

// Source is the code of a variant that is made from a git ref.
type Source struct {
	Repo    string   `json:"repo"`
	Ref     string   `json:"ref"`
	Commit  string   `json:"commit,omitempty"`
	Tree    string   `json:"tree,omitempty"` // hash of its files
	Subject string   `json:"subject,omitempty"`
	Setup   []string `json:"setup,omitempty"` // command that makes the worktree ready
	// Overlay: the worktree lies in front of an installed package on PYTHONPATH.
	Overlay bool `json:"overlay,omitempty"`
	// Module is the Python package that must be loaded as it is in the commit; "": none.
	Module string `json:"module,omitempty"`
	// CommitLog finds the commit in the server's log: its first group is one, abbreviated
	// or not.
	CommitLog string `json:"commit_log,omitempty"`
}

// Code is what was found out, before any traffic, about the code that the server of a
// variant has loaded.
type Code struct {
	Variant string      `json:"variant"`
	Found   CodeVerdict `json:"found"`
	How     string      `json:"how,omitempty"` // by which means: CodeByModule, …
	Commit  string      `json:"commit,omitempty"`
	File    string      `json:"file,omitempty"` // that tells it
	SHA256  string      `json:"sha256,omitempty"`
	Files   int         `json:"files,omitempty"` // that were compared with the commit
	Detail  string      `json:"detail"`
}

// CodeVerdict is whether loaded code is that of the variant's commit.
type CodeVerdict string

// The answers.
const (
	CodeUnknown CodeVerdict = "unknown"
	CodeRight   CodeVerdict = "right"
	CodeWrong   CodeVerdict = "wrong"
)

// Means to know the code that a server has loaded.
const (
	CodeByModule  = "python module"
	CodeByProcess = "files of the process"
	CodeByLog     = "log"
)

// Trigger is what must have moved, or must not, while a block of a variant is measured,
// so that the code under test is known to have run.
type Trigger struct {
	Log     string  `json:"log,omitempty"`      // expression that lines of the server's log are counted by
	Metric  string  `json:"metric,omitempty"`   // name, or name{label="value"}, in /metrics
	AtLeast float64 `json:"at_least,omitempty"` // per block; 0: 1
	None    bool    `json:"none,omitempty"`     // it must not have moved at all
}

// TriggerCount is how far a trigger moved during a block. A nil count is of something
// that the trigger does not ask for, or that could not be read.
type TriggerCount struct {
	Log    *float64 `json:"log,omitempty"`
	Metric *float64 `json:"metric,omitempty"`
	Detail string   `json:"detail,omitempty"` // why something could not be read
}

// Fingerprint is what the server of a variant ran with. Variants are to differ in
// nothing of it but what they declare.
type Fingerprint struct {
	Variant string `json:"variant"`
	// Argv is the command line of the server's process, with {port} and {worktree} for
	// what differs between runs.
	Argv []string `json:"argv,omitempty"`
	// Env are the variables that steer servers; the values of secrets are hidden.
	Env    map[string]string `json:"env,omitempty"`
	Python *Python           `json:"python,omitempty"` // nil: its interpreter is not known
	Detail string            `json:"detail,omitempty"` // what could not be found out, and why
}

// Python is an interpreter and what is installed for it.
type Python struct {
	Executable string            `json:"executable"`
	Version    string            `json:"version"`
	Packages   map[string]string `json:"packages"` // version by name, as pip freeze lists them
}

// ModelFiles name what is in a model's directory.
type ModelFiles struct {
	Dir      string      `json:"dir,omitempty"`
	Revision string      `json:"revision,omitempty"` // of a model from the hub
	Files    []ModelFile `json:"files,omitempty"`
	Detail   string      `json:"detail,omitempty"` // why nothing is known
}

// ModelFile is one file of a model. Of large ones the hash is of the beginning alone.
type ModelFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Hashed int64  `json:"hashed_bytes"`
}
