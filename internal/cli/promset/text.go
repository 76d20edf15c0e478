// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package promset

import (
	"fmt"
	"io"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// WriteText writes the text format, which has no exemplars.
func WriteText(w io.Writer, families []*dto.MetricFamily) error {
	return encode(expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain)), families)
}

// WriteOpenMetrics writes the OpenMetrics text format.
func WriteOpenMetrics(w io.Writer, families []*dto.MetricFamily) error {
	encoder := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeOpenMetrics))
	if err := encode(encoder, families); err != nil {
		return err
	}
	// The end marker, without which readers consider the file truncated.
	if closer, ok := encoder.(expfmt.Closer); ok {
		return closer.Close()
	}
	return nil
}

func encode(encoder expfmt.Encoder, families []*dto.MetricFamily) error {
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			return fmt.Errorf("cannot write %s: %w", f.GetName(), err)
		}
	}
	return nil
}
