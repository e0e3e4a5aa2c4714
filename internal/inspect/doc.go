// Package inspect reads the configuration of a vision-language model and says which
// vision tower it has, whether and when that tower's position table is resampled,
// and why (not).
//
// It reads configuration files only: no weights, no code of the model, no network.
// What it knows of a model family is how the published processor feeds the tower;
// of a family or tower that it does not know it says so and does not guess.
package inspect
