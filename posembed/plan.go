package posembed

import "fmt"

// Plan holds the weights that take a table from one grid to another. It is
// immutable: any number of goroutines may apply it at once. The zero Plan, which
// NewPlan does not return, gives errors.
type Plan struct {
	from, to   Grid
	convention Convention
	rows, cols axis // Wy [to.Rows, from.Rows] and Wx [to.Cols, from.Cols]; empty if Identity

	execution Execution // resolved
	alone     []*Plan   // the plan itself, as the list of plans of a job
}

// NewPlan computes the weights from one grid to another. It takes time and
// memory in proportion to the sides of the grids, not to their areas.
func NewPlan(from, to Grid, c Convention) (*Plan, error) {
	if err := from.check(); err != nil {
		return nil, fmt.Errorf("plan from %w", err)
	}
	if err := to.check(); err != nil {
		return nil, fmt.Errorf("plan to %w", err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("plan from %v to %v: %w", from, to, err)
	}
	p := &Plan{from: from, to: to, convention: c}
	if !p.Identity() {
		p.rows = newAxis(from.Rows, to.Rows, c)
		p.cols = newAxis(from.Cols, to.Cols, c)
	}
	return p.With(Execution{})
}

// With is the plan, its weights shared, applied in another way.
func (p *Plan) With(e Execution) (*Plan, error) {
	e, err := e.resolved()
	if err != nil {
		return nil, fmt.Errorf("plan from %v to %v: %w", p.from, p.to, err)
	}
	q := *p
	q.execution = e
	q.alone = []*Plan{&q}
	return &q, nil
}

// Execution is how the plan is applied: the implementation, which is never
// Fastest, and the number of threads.
func (p *Plan) Execution() Execution { return p.execution }

// From is the grid of the tables that the plan is applied to.
func (p *Plan) From() Grid { return p.from }

// To is the grid of the results.
func (p *Plan) To() Grid { return p.to }

// Convention is the convention that the weights follow.
func (p *Plan) Convention() Convention { return p.convention }

// Identity reports whether applying the plan copies the table: the grids are
// equal and the convention keeps equal grids (all but BicubicOffset do).
func (p *Plan) Identity() bool { return p.from == p.to && p.convention.copies() }
