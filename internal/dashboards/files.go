package dashboards

import (
	"path/filepath"

	"github.com/tasker-otel/otelcol-tasker/tests/catalogue"
)

// Files are what is generated, by its path below root.
func Files(root string) (map[string][]byte, error) {
	c, err := catalogue.Load(root)
	if err != nil {
		return nil, err
	}
	rules := filepath.Join(root, "deploy", "prometheus", "rules", "*.yaml")
	if _, err := c.Rules(rules); err != nil {
		return nil, err
	}
	pages, err := All(c)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for i := range pages {
		text, err := pages[i].JSON()
		if err != nil {
			return nil, err
		}
		files[filepath.Join("deploy", "grafana", "dashboards", pages[i].UID+".json")] = text
	}
	rule, err := PrometheusRule(rules)
	if err != nil {
		return nil, err
	}
	files[filepath.Join("deploy", "kubernetes", "monitoring", "prometheusrule.yaml")] = rule
	return files, nil
}
