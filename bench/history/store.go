package history

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite", in Go alone
)

// storeVersion is the version of the tables, in the file's user_version.
const storeVersion = 1

// Store is a SQLite file of past runs. What Put has returned from survives a crash of
// the program and of the machine.
type Store struct{ db *sql.DB }

// schema has the run whole, as JSON, and beside it what SQL may be asked for.
const schema = `
CREATE TABLE IF NOT EXISTS runs (
	id TEXT PRIMARY KEY, started TEXT NOT NULL, dir TEXT NOT NULL, model TEXT NOT NULL, experiment TEXT NOT NULL,
	siglab TEXT NOT NULL, valid INTEGER NOT NULL, pairs INTEGER NOT NULL, stopped TEXT NOT NULL, run TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS metrics (
	run TEXT NOT NULL REFERENCES runs(id), variant TEXT NOT NULL, metric TEXT NOT NULL, is_primary INTEGER NOT NULL,
	baseline REAL, candidate REAL, change_pct REAL, ci_low_pct REAL, ci_high_pct REAL, verdict TEXT NOT NULL,
	PRIMARY KEY (run, variant, metric)
) STRICT;
CREATE INDEX IF NOT EXISTS runs_started ON runs (started);
`

// IsStore reports whether a path is a SQLite file, by its first bytes.
func IsStore(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // opened for reading
	head := make([]byte, 16)
	_, err = io.ReadFull(f, head)
	return err == nil && bytes.Equal(head, []byte("SQLite format 3\x00"))
}

// Open opens a file of past runs, or makes it.
func Open(ctx context.Context, path string) (*Store, error) {
	if info, err := os.Stat(path); err == nil && (info.IsDir() || info.Size() > 0 && !IsStore(path)) {
		return nil, fmt.Errorf("%s is no SQLite file", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open runs: %w", err)
	}
	// WAL: a reader sees the last commit while another writes. FULL: a commit is on the
	// disk when it returns. Others that write are waited for.
	name := "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() +
		"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, fmt.Errorf("open runs: %w", err)
	}
	s := &Store{db}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return s, nil
}

// prepare makes the tables of a new file and refuses those of a newer version.
func (s *Store) prepare(ctx context.Context) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		switch {
		case version == storeVersion:
			return nil
		case version != 0:
			return fmt.Errorf("it has version %d and this siglab reads version %d", version, storeVersion)
		}
		if _, err := tx.ExecContext(ctx, schema); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", storeVersion))
		return err
	})
}

func (s *Store) transact(ctx context.Context, work func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := work(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Put keeps a run, in one transaction. changed is false if it is there already as it
// is; one that went on since takes the place of what was kept of it.
func (s *Store) Put(ctx context.Context, r Run) (changed bool, err error) {
	encoded, err := json.Marshal(r)
	if err != nil {
		return false, fmt.Errorf("keep run %s: %w", r.ID, err)
	}
	err = s.transact(ctx, func(tx *sql.Tx) error {
		var before string
		err := tx.QueryRowContext(ctx, "SELECT run FROM runs WHERE id = ?", r.ID).Scan(&before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if before == string(encoded) {
			return nil
		}
		changed = true
		return put(ctx, tx, r, encoded)
	})
	if err != nil {
		return false, fmt.Errorf("keep run %s: %w", r.ID, err)
	}
	return changed, nil
}

func put(ctx context.Context, tx *sql.Tx, r Run, encoded []byte) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM metrics WHERE run = ?", r.ID); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO runs (id, started, dir, model, experiment, siglab, valid, pairs, stopped, run) VALUES (?,?,?,?,?,?,?,?,?,?)
		ON CONFLICT (id) DO UPDATE SET started = excluded.started, dir = excluded.dir, model = excluded.model, experiment = excluded.experiment,
		siglab = excluded.siglab, valid = excluded.valid, pairs = excluded.pairs, stopped = excluded.stopped, run = excluded.run`,
		r.ID, r.Started.Format(time.RFC3339Nano), r.Dir, r.Model, r.Experiment, r.Siglab, r.Valid, r.Pairs, r.Stopped, string(encoded))
	for _, m := range r.Metrics {
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO metrics (run, variant, metric, is_primary, baseline, candidate, change_pct, ci_low_pct, ci_high_pct, verdict) VALUES (?,?,?,?,?,?,?,?,?,?)",
			r.ID, m.Variant, m.Metric, m.Primary, m.Baseline, m.Candidate, m.Change, m.Low, m.High, m.Verdict)
	}
	return err
}

// Runs are all runs, the oldest first.
func (s *Store) Runs(ctx context.Context) (runs []Run, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id, run FROM runs")
	if err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id, encoded string
		var r Run
		if err := rows.Scan(&id, &encoded); err != nil {
			return nil, fmt.Errorf("read runs: %w", err)
		}
		if err := json.Unmarshal([]byte(encoded), &r); err != nil {
			return nil, fmt.Errorf("read run %s: %w", id, err)
		}
		runs = append(runs, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read runs: %w", err)
	}
	return Select(runs, Filter{}), nil
}
