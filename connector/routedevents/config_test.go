package routedevents

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func TestConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	section, err := conf.Sub("routed_events")
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig()
	require.NoError(t, section.Unmarshal(cfg))
	require.NoError(t, xconfmap.Validate(cfg))
	require.Equal(t, &Config{LogBody: "message"}, cfg)

	section, err = conf.Sub("routed_events/lines")
	require.NoError(t, err)
	require.NoError(t, section.Unmarshal(cfg))
	require.NoError(t, xconfmap.Validate(cfg))
	require.Equal(t, &Config{LogBody: "json"}, cfg)

	require.ErrorContains(t, xconfmap.Validate(&Config{LogBody: "xml"}),
		`log_body: "xml" is no form of a record: use message or json`)
}
