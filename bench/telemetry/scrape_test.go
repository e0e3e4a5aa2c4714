package telemetry

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siglab/bench/record"
)

const scrapeBefore = `# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{le="+Inf"} 2
vllm:time_to_first_token_seconds_sum 0.5
vllm:time_to_first_token_seconds_count 2
# TYPE siglab:pos_embed_resample_total counter
siglab:pos_embed_resample_total{mode="exact",from="8x8",to="12x12"} 2
`

const scrapeAfter = `# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{le="+Inf"} 5
vllm:time_to_first_token_seconds_sum 1.25
vllm:time_to_first_token_seconds_count 5
# TYPE siglab:pos_embed_resample_total counter
siglab:pos_embed_resample_total{mode="exact",from="8x8",to="12x12"} 5
siglab:pos_embed_resample_total{mode="exact",from="8x8",to="8x8"} 0
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{model_name="m"} 96
`

func TestDelta(t *testing.T) {
	before, err := ParseScrape([]byte(scrapeBefore))
	if err != nil {
		t.Fatal(err)
	}
	after, err := ParseScrape([]byte(scrapeAfter))
	if err != nil {
		t.Fatal(err)
	}
	want := record.ServerDelta{
		Scraped: true, TTFTSum: 0.75, TTFTCount: 3, OutputTokens: 96,
		Resamples: map[string]int64{"exact 8x8→12x12": 3},
	}
	if diff := cmp.Diff(want, Delta(before, after)); diff != "" {
		t.Errorf("delta (-want +got):\n%s", diff)
	}
}

func TestParseScrapeRefusesGarbage(t *testing.T) {
	if _, err := ParseScrape([]byte("<html>no</html>\n")); err == nil || !strings.Contains(err.Error(), "/metrics") {
		t.Errorf("garbage: %v", err)
	}
}

func FuzzParseScrape(f *testing.F) {
	f.Add([]byte(scrapeAfter))
	f.Add([]byte("# TYPE a histogram\na_sum NaN\n"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		s, err := ParseScrape(text)
		if err == nil {
			Delta(s, s)
		}
	})
}
