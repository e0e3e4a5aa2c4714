package record

import (
	"encoding/json"
	"strings"
	"time"
)

// ManifestVersion is the version of manifest.json.
const ManifestVersion = 1

// Run is everything that was recorded: the input of every analysis.
type Run struct {
	Manifest     Manifest
	Observations []Observation
	Telemetry    []Sample
	Sizes        map[string][2]int // width and height of an item's image by Item.ID; nil where the workload is not there
	Warnings     []string          // what was odd about the files themselves (a truncated last line)
	// KernelTimes are the times of resampling one image by variant, measured apart from
	// servers that do not tell them.
	KernelTimes map[string]time.Duration
}

// Manifest says what was asked for, under which conditions it ran, and which
// blocks were measured. It is rewritten after every block.
type Manifest struct {
	// SHA256 is of the document with this field empty. Package runlog fills it in, and
	// checks it.
	SHA256   string      `json:"manifest_sha256,omitempty"`
	Version  int         `json:"version"`
	Siglab   string      `json:"siglab"`  // version of the program
	Command  []string    `json:"command"` // how it was started, secrets never on it
	Started  time.Time   `json:"started"` // origin of every offset in the run directory
	Finished time.Time   `json:"finished,omitzero"`
	Resumed  []time.Time `json:"resumed,omitempty"` // when it went on after it had ended early
	Stopped  string      `json:"stopped"`           // why the run ended: "complete", "interrupted", "variant died: …"

	Experiment  Experiment  `json:"experiment"`
	Variants    []Variant   `json:"variants"` // the first is the baseline
	Workload    Workload    `json:"workload"`
	Environment Environment `json:"environment"`
	Blocks      []Block     `json:"blocks"`
	Divergences []GapProbe  `json:"gap_probes,omitempty"`
	Notes       []Note      `json:"notes,omitempty"` // one per variant and code
	Instruments Instruments `json:"instruments,omitzero"`

	Code         []Code        `json:"code,omitempty"`         // of variants that are made from a git ref
	Fingerprints []Fingerprint `json:"fingerprints,omitempty"` // of variants that a command starts

	Calibration *Calibration `json:"calibration,omitempty"` // nil: it was left out
	Startup     *Startup     `json:"startup,omitempty"`     // nil: it is not known
}

// Calibration is the load client's own error, measured before the run against a
// server of known truth on the same machine, under a load like the run's. Times are
// milliseconds.
type Calibration struct {
	Streams    int         `json:"streams"`       // requests in flight, with small bodies
	BodyBytes  int         `json:"body_bytes"`    // of the cell that TTFT is from
	TTFT       ErrorSpread `json:"ttft_error_ms"` // the client's time to the first token minus the server's
	ITL        ErrorSpread `json:"itl_error_ms"`  // the size of the error of the gaps between tokens
	TPOTPct    float64     `json:"tpot_mean_error_pct"`
	Mismatches int         `json:"mismatches"`       // requests of which client and server say different things
	Failed     string      `json:"failed,omitempty"` // why there are no numbers
}

// ErrorSpread sums up errors.
type ErrorSpread struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
}

// Experiment is the resolved configuration.
type Experiment struct {
	Model       string        `json:"model"`
	Dataset     string        `json:"dataset"` // opens the same rows again
	Reencode    bool          `json:"dataset_reencode,omitempty"`
	MaxSkipped  float64       `json:"dataset_max_skipped,omitempty"` // share of unusable rows
	RequestRate float64       `json:"request_rate"`                  // queries per second; 0 where a saturating loop or a ramp has none
	Burstiness  float64       `json:"burstiness"`                    // 1 = Poisson; 0 where gaps are constant
	NumPrompts  int           `json:"num_prompts"`                   // per block
	Pairs       int           `json:"pairs"`                         // planned; rounds for more than two variants
	MaxTokens   int           `json:"max_tokens"`
	Temperature float64       `json:"temperature"`
	IgnoreEOS   bool          `json:"ignore_eos"`
	Seed        uint64        `json:"seed"`
	Warmups     int           `json:"warmups"`                    // requests before each block, not measured
	Restart     string        `json:"restart"`                    // RestartEachBlock, RestartEachPair or RestartNever
	Order       string        `json:"order"`                      // "AB/BA" or "Williams"
	Caches      string        `json:"caches"`                     // CachesOff, CachesReset or CachesKeep
	Stability   float64       `json:"warmup_stability,omitempty"` // warm-ups are repeated until they change by less; 0: sent once
	CoolDown    time.Duration `json:"cool_down_ns,omitempty"`     // between blocks
	MaxDuration time.Duration `json:"max_duration_ns,omitempty"`  // no pair begins that would end later; 0: no bound
	Hooks       *Hooks        `json:"hooks,omitempty"`
	Timeout     time.Duration `json:"timeout_ns"`                // of a whole answer
	IdleTimeout time.Duration `json:"idle_timeout_ns,omitempty"` // without a byte of it
	Equivalence float64       `json:"equivalence_margin"`        // 0.02 = ±2 %
	Alpha       float64       `json:"alpha"`                     // 0.05
	EarlyStop   bool          `json:"early_stop,omitempty"`      // Pairs is the most; the analysis allows for looks
	Primaries   []string      `json:"primaries,omitempty"`       // metric keys; empty: the usual ones
	AA          bool          `json:"aa,omitempty"`              // the baseline against itself, to measure the noise floor
	MayDiffer   []string      `json:"may_differ,omitempty"`      // packages and variables in which variants may differ
	// NoiseFloors are relative, by metric key: what a run of the baseline against
	// itself could not exclude. They come from the run directory NoiseFloorFrom.
	NoiseFloors    map[string]float64 `json:"noise_floors,omitempty"`
	NoiseFloorFrom string             `json:"noise_floor_from,omitempty"`
	ServerThreads  int                `json:"server_threads"`
	ImageSize      string             `json:"image_size,omitempty"` // "HxW" or "native", of the embedded server; "": the model's

	Loop           Loop   `json:"loop,omitempty"`
	MaxConcurrency int    `json:"max_concurrency,omitempty"` // requests in flight of the loops that bound them
	Schedule       string `json:"schedule,omitempty"`
	Ramp           *Ramp  `json:"ramp,omitempty"`

	ServedModel string          `json:"served_model,omitempty"` // name that requests ask for; "": Model
	Backend     string          `json:"backend,omitempty"`      // protocol of the requests; "": BackendChat
	Endpoint    string          `json:"endpoint,omitempty"`     // their path; "": the backend's
	ExtraBody   json.RawMessage `json:"extra_body,omitempty"`   // JSON object whose fields every request has besides
	Headers     []string        `json:"headers,omitempty"`      // names alone: values may be secrets
	ReadyCheck  time.Duration   `json:"ready_check_ns,omitempty"`

	ResultFile ResultFile `json:"result_file,omitzero"`
}

// Hooks are commands that run beside the experiment, each a program and its arguments.
type Hooks struct {
	Commands map[string][]string `json:"commands"` // by HookBeforeRun, …
	Timeout  time.Duration       `json:"timeout_ns"`
}

// The moments of hooks.
const (
	HookBeforeRun   = "before_run"
	HookAfterRun    = "after_run"
	HookBeforePair  = "before_pair"
	HookAfterPair   = "after_pair"
	HookBeforeBlock = "before_block"
	HookAfterBlock  = "after_block"
)

// Backends, by the names of `vllm bench serve`.
const (
	BackendChat        = "openai-chat"
	BackendCompletions = "openai"
)

// ResultFile says what the files of `vllm bench serve` are to hold. The zero value is
// that tool's usual content and end-to-end latencies.
type ResultFile struct {
	Sections    []string           `json:"percentile_metrics,omitempty"` // "ttft", "tpot", …
	Percentiles []float64          `json:"metric_percentiles,omitempty"`
	Goodput     map[string]float64 `json:"goodput_ms,omitempty"` // limits in ms by "ttft", "tpot", "e2el"
	Label       string             `json:"label,omitempty"`      // "": the variant's name
	Metadata    [][2]string        `json:"metadata,omitempty"`
}

// RequestModel is the name that requests ask for.
func (e Experiment) RequestModel() string {
	if e.ServedModel != "" {
		return e.ServedModel
	}
	return e.Model
}

// Variant is one thing under test.
type Variant struct {
	Name        string        `json:"name"`
	Kind        string        `json:"kind"`
	Mode        string        `json:"mode"` // pos-embed mode, as in posembed.Mode; "" where it is not ours to choose
	Convention  string        `json:"convention"`
	InjectDelay time.Duration `json:"inject_delay_ns,omitempty"` // positive control
	Argv        []string      `json:"argv"`

	URL          string        `json:"url,omitempty"` // of a server that runs already
	Env          []string      `json:"env,omitempty"` // NAME=VALUE that a command has besides; NAME alone where the value is a secret
	Dir          string        `json:"dir,omitempty"`
	Ready        string        `json:"ready,omitempty"` // path or URL that answers 200 when the server is ready
	ReadyTimeout time.Duration `json:"ready_timeout_ns,omitempty"`

	Source  *Source  `json:"source,omitempty"`  // of a command whose code is from a git ref
	Trigger *Trigger `json:"trigger,omitempty"` // nil: that of the embedded server's mode
}

// Workload names the frozen requests.
type Workload struct {
	SHA256       string  `json:"sha256"` // over all items' bodies and offsets
	Items        int     `json:"items"`
	Images       int     `json:"distinct_images"`
	RepeatImages float64 `json:"repeated_image_share"` // share of requests whose image came before in the same block
	Source       string  `json:"source"`               // name, revision and hash of the data set
	Selection    string  `json:"selection,omitempty"`  // how its rows were chosen
	// Rows of the source that were looked at, and those of them that could not be used,
	// by reason.
	ExaminedRows int            `json:"examined_rows,omitempty"`
	SkippedRows  map[string]int `json:"skipped_rows,omitempty"`
}

// Item is one frozen request: one line of workload.jsonl.
type Item struct {
	ID        string        `json:"id"`
	Slice     int           `json:"slice"` // which slice: pair or round k uses slice k
	Index     int           `json:"index"` // position in the slice
	Offset    time.Duration `json:"offset_ns"`
	Prompt    string        `json:"prompt"`
	Image     string        `json:"image"` // name in the data set
	ImageSize [2]int        `json:"image_size"`
	ImageHash string        `json:"image_sha256"`
	BodyHash  string        `json:"body_sha256"`
	BodyBytes int           `json:"body_bytes"`
	Body      []byte        `json:"-"` // encoded chat request
}

// Thumbnail is a small copy of an image of the workload: one line of thumbnails.jsonl.
type Thumbnail struct {
	ImageHash string `json:"image_sha256"` // Item.ImageHash
	JPEG      []byte `json:"jpeg"`
}

// Block is one measured stretch of one variant on one slice of the workload.
type Block struct {
	ID        int           `json:"id"`
	Pair      int           `json:"pair"` // or round
	Slot      int           `json:"slot"` // position within the pair, from 0
	Variant   string        `json:"variant"`
	Attempt   int           `json:"attempt"` // 1, or 2 after a void block
	Slice     int           `json:"slice"`
	SliceHash string        `json:"slice_sha256"`
	Requests  int           `json:"requests"` // scheduled
	Start     time.Duration `json:"start_ns"` // offset of schedule time 0
	End       time.Duration `json:"end_ns"`   // last answer drained
	Void      string        `json:"void,omitempty"`
	Startup   time.Duration `json:"startup_ns"` // start of the child to its first healthy answer; hardly anything where it ran already
	WarmUp    WarmUp        `json:"warm_up,omitzero"`
	Server    ServerDelta   `json:"server"`
	Client    ClientRuntime `json:"client,omitzero"`
	Sampling  Sampling      `json:"sampling,omitzero"`
	Trigger   *TriggerCount `json:"trigger,omitempty"` // of a variant that has one
	// ObservationsHash is the SHA-256 of the block's lines in observations.jsonl, so
	// that lines that were changed or come from another run are found. Runs of earlier
	// versions have none.
	ObservationsHash string `json:"observations_sha256,omitempty"`
}

// WarmUp says how often the warm-up requests were sent, until they took as long as the
// time before.
type WarmUp struct {
	Rounds int     `json:"rounds"`
	Change float64 `json:"change"` // relative, of the last round against the one before: the median over the requests
	Stable bool    `json:"stable"` // the change is within the experiment's bound
}

// ClientRuntime is what in the load client itself could have delayed a send or a
// stamp while a block was measured: its garbage collector and its scheduler. Times
// are upper ends of the runtime's histogram buckets.
type ClientRuntime struct {
	Collections  uint64        `json:"collections"`
	LongestPause time.Duration `json:"longest_pause_ns"` // of all goroutines, for a collection
	WaitP50      time.Duration `json:"wait_p50_ns"`      // of goroutines ready to run, for a core
	WaitP99      time.Duration `json:"wait_p99_ns"`
	LongestWait  time.Duration `json:"longest_wait_ns"`
}

// ServerDelta is what the server's own metrics counted during a block (scraped
// before and after). Seconds and counts; Scraped is false where there was no
// metrics endpoint.
type ServerDelta struct {
	Scraped       bool             `json:"scraped"`
	Detail        string           `json:"detail,omitempty"` // why not scraped
	TTFTSum       float64          `json:"ttft_sum_s"`
	TTFTCount     float64          `json:"ttft_count"`
	E2ELSum       float64          `json:"e2el_sum_s"`
	E2ELCount     float64          `json:"e2el_count"`
	QueueSum      float64          `json:"queue_sum_s"`
	PrefillSum    float64          `json:"prefill_sum_s"`
	PromptTokens  float64          `json:"prompt_tokens"`
	OutputTokens  float64          `json:"generation_tokens"`
	EncoderSum    float64          `json:"encoder_sum_s"` // vision tower, resampling included
	EncoderCount  float64          `json:"encoder_count"`
	ResampleSum   float64          `json:"resample_sum_s"` // the resampling kernel alone
	ResampleCount float64          `json:"resample_count"`
	Resamples     map[string]int64 `json:"resamples,omitempty"` // siglab:pos_embed_resample_total by "mode from→to"
}

// Environment is the fingerprint of the host and program; the variants share it.
type Environment struct {
	OS         string   `json:"os"`
	Arch       string   `json:"arch"`
	Kernel     string   `json:"kernel"`
	CPU        string   `json:"cpu"`
	Cores      int      `json:"cores"`
	Features   []string `json:"cpu_features"`
	MemoryMB   uint64   `json:"memory_mb"`
	Go         string   `json:"go"`
	BinaryHash string   `json:"binary_sha256"`
	Servers    []string `json:"servers"` // per variant: what /version said, in order of Variants

	Driver    string      `json:"gpu_driver,omitempty"`
	CUDA      string      `json:"cuda,omitempty"` // of the toolkit, where one is installed
	Governor  string      `json:"governor,omitempty"`
	Container string      `json:"container,omitempty"`
	Model     *ModelFiles `json:"model,omitempty"` // of servers by command
}

// GapProbe is the answer to "how close was the call?" for one divergence of two
// greedy answers: the baseline's two best logits at the first differing token,
// asked again after the measurement.
type GapProbe struct {
	Variant  string  `json:"variant"`
	Item     string  `json:"item"`
	Token    int     `json:"token"`    // index of the first differing token
	Gap      float64 `json:"gap"`      // logit of the best minus logit of the second
	Baseline string  `json:"baseline"` // what the baseline said there
	Other    string  `json:"other"`
	Err      string  `json:"error,omitempty"` // why it could not be asked
}

// ResampleKey names one kind of resampling in ServerDelta.Resamples.
func ResampleKey(mode, from, to string) string { return mode + " " + from + "→" + to }

// ParseResampleKey takes such a name apart.
func ParseResampleKey(key string) (mode, from, to string, ok bool) {
	mode, grids, ok1 := strings.Cut(key, " ")
	from, to, ok2 := strings.Cut(grids, "→")
	return mode, from, to, ok1 && ok2
}
