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
	require.Equal(t, &Config{LogBody: "message", EventAttributes: "all"}, cfg)

	section, err = conf.Sub("routed_events/lines")
	require.NoError(t, err)
	require.NoError(t, section.Unmarshal(cfg))
	require.NoError(t, xconfmap.Validate(cfg))
	require.Equal(t, &Config{LogBody: "json", EventAttributes: "tree"}, cfg)

	err = xconfmap.Validate(&Config{LogBody: "xml", EventAttributes: "few"})
	require.ErrorContains(t, err, `log_body: "xml" is no form of a record: use message or json`)
	require.ErrorContains(t, err, `event_attributes: "few" is no set of attributes: use all or tree`)
}
