package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

type object = map[string]any

const (
	columns = 24
	// Heights of panels, in Grafana's units of about 30 pixels.
	rowHeight, statHeight, graphHeight, tableHeight = 1, 4, 8, 9
	// schemaVersion is that of Grafana 11; later ones migrate it by themselves.
	schemaVersion = 39
)

// datasource is chosen at the top of the page.
func datasource() object {
	return object{"type": "prometheus", "uid": "${datasource}"}
}

// JSON is the file that Grafana loads.
func (d *Dashboard) JSON() ([]byte, error) {
	page := object{
		"uid": d.UID, "title": d.Title, "description": d.Description,
		"tags": []string{"tasker"}, "editable": true, "graphTooltip": 1, "schemaVersion": schemaVersion, "version": 1,
		"refresh": "30s", "time": object{"from": "now-6h", "to": "now"}, "timezone": "browser",
		"annotations": object{"list": []object{{
			"name": "Alerts", "datasource": datasource(), "enable": true, "iconColor": "red", "hide": false,
			"expr": `ALERTS{alertname=~"Tasker.*", alertstate="firing"}`, "titleFormat": "{{alertname}}", "step": "60s",
		}}},
		"links": []object{{
			"type": "dashboards", "tags": []string{"tasker"}, "title": "Tasker", "asDropdown": false,
			"includeVars": true, "keepTime": true, "icon": "external link",
		}},
		"templating": object{"list": d.variables()},
		"panels":     d.panels(),
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(page); err != nil {
		return nil, fmt.Errorf("write the dashboard %s: %w", d.UID, err)
	}
	return text.Bytes(), nil
}

func (d *Dashboard) variables() []object {
	list := []object{{
		"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1, "hide": 0,
	}}
	for _, v := range d.Variables {
		series := v.Metric
		if v.Filter != "" {
			series += "{" + v.Filter + "}"
		}
		query := fmt.Sprintf("label_values(%s, %s)", series, v.LabelName)
		variable := object{
			"name": v.Name, "label": v.Label, "type": "query", "datasource": datasource(), "hide": 0,
			"definition": query, "query": object{"query": query, "refId": v.Name},
			// Values are looked up again when the time that is shown changes, and sorted. Only where several can be chosen
			// does Grafana escape what of them means something in a regular expression.
			"refresh": 2, "sort": 1, "multi": true, "includeAll": v.All,
		}
		if v.All {
			variable["allValue"] = ".*"
			variable["current"] = object{"text": "All", "value": "$__all"}
		}
		list = append(list, variable)
	}
	return list
}

// panels places the panels of each row from left to right, and gives them their numbers.
func (d *Dashboard) panels() []object {
	var list []object
	id, y := 0, 0
	for _, row := range d.Rows {
		id++
		list = append(list, object{
			"id": id, "type": "row", "title": row.Title, "collapsed": false, "panels": []object{},
			"gridPos": object{"h": rowHeight, "w": columns, "x": 0, "y": y},
		})
		y += rowHeight
		x, line := 0, 0 // of the line that is filled, the place of the next panel and the height
		for _, panel := range row.Panels {
			if x+panel.Width > columns {
				x, y, line = 0, y+line, 0
			}
			id++
			height := panel.height()
			list = append(list, panel.object(id, object{"h": height, "w": panel.Width, "x": x, "y": y}))
			x, line = x+panel.Width, max(line, height)
		}
		y += line
	}
	return list
}

func (p *Panel) height() int {
	switch p.Kind {
	case Stat:
		return statHeight
	case Table:
		return tableHeight
	}
	return graphHeight
}

func (p *Panel) object(id int, position object) object {
	defaults := object{"unit": p.Unit}
	panel := object{
		"id": id, "type": string(p.Kind), "title": p.Title, "description": p.Description, "gridPos": position,
		"datasource": datasource(), "targets": p.targets(),
		"fieldConfig": object{"defaults": defaults, "overrides": []object{}},
	}
	switch p.Kind {
	case Graph:
		defaults["min"] = 0
		defaults["custom"] = object{"lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": false}
		panel["options"] = object{
			"legend":  object{"displayMode": "list", "placement": "bottom", "showLegend": true},
			"tooltip": object{"mode": "multi", "sort": "desc"},
		}
	case Stat:
		panel["options"] = object{
			"colorMode": "none", "graphMode": "none", "textMode": "value",
			"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
		}
	case Heatmap:
		panel["options"] = object{
			"calculate": false, "yAxis": object{"unit": p.Unit, "axisPlacement": "left"},
			"color":     object{"mode": "scheme", "scheme": "Oranges", "steps": 64},
			"exemplars": object{"color": "rgba(31, 96, 196, 0.9)"},
			"legend":    object{"show": true}, "tooltip": object{"mode": "single", "yHistogram": true},
		}
	case Table:
		p.table(panel)
	}
	return panel
}

func (p *Panel) targets() []object {
	var targets []object
	for i, query := range p.Queries {
		target := object{
			"refId": refID(i), "datasource": datasource(), "editorMode": "code", "expr": query.Expr, "legendFormat": query.Legend,
			"range": true, "instant": false,
		}
		switch p.Kind {
		case Stat, Table:
			target["range"], target["instant"] = false, true
		case Heatmap:
			target["format"] = "heatmap"
		}
		if p.Kind == Table {
			target["format"] = "table"
		}
		if query.Exemplars {
			target["exemplar"] = true
		}
		targets = append(targets, target)
	}
	return targets
}

// refID is Grafana's name of a query: A, B, …
func refID(i int) string { return string(rune('A' + i)) }

// table joins the queries by their labels, a column for each, and links a row to another page.
func (p *Panel) table(panel object) {
	rename, hide, order := object{}, object{"Time": true}, object{}
	overrides := []object{}
	for i, query := range p.Queries {
		column := "Value #" + refID(i)
		if len(p.Queries) == 1 {
			column = "Value"
		}
		rename[column] = query.Legend
		order[column] = 10 + i
		unit := query.Unit
		if unit == "" {
			unit = p.Unit
		}
		overrides = append(overrides, object{
			"matcher":    object{"id": "byName", "options": query.Legend},
			"properties": []object{{"id": "unit", "value": unit}, {"id": "decimals", "value": tableDecimals(unit)}},
		})
	}
	for i, label := range []string{"job", "task_name", "step_name"} {
		order[label] = i
	}
	rename["job"], rename["task_name"], rename["step_name"] = "Service", "Workflow", "Step"
	if p.Link != "" {
		fields := []string{"var-service=${__data.fields.Service:percentencode}", "var-task_name=${__data.fields.Workflow:percentencode}"}
		name := "Workflow"
		if p.Link == stepUID {
			fields, name = append(fields, "var-step_name=${__data.fields.Step:percentencode}"), "Step"
		}
		overrides = append(overrides, object{
			"matcher": object{"id": "byName", "options": name},
			"properties": []object{{"id": "links", "value": []object{{
				"title": "Its page", "url": fmt.Sprintf("/d/%s?%s&${__url_time_range}", p.Link, strings.Join(fields, "&")),
			}}}},
		})
	}
	panel["fieldConfig"].(object)["overrides"] = overrides
	panel["options"] = object{"showHeader": true, "sortBy": []object{{"displayName": p.Queries[0].Legend, "desc": true}}}
	panel["transformations"] = []object{
		{"id": "merge", "options": object{}},
		{"id": "organize", "options": object{"excludeByName": hide, "renameByName": rename, "indexByName": order}},
	}
}

func tableDecimals(unit string) int {
	if unit == "short" {
		return 0
	}
	return 2
}
