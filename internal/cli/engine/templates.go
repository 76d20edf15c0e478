// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package engine

// template is a node of a workflow's graph.
type template struct {
	step    string
	parents []string
	retries int
}

// templateNames returns the workflow names, sorted.
func templateNames() []string {
	return []string{"customer_analytics", "process_order", "user_registration"}
}

// templateOf returns the graph of a workflow, parents before children; nil for an unknown name.
func templateOf(name string) []template {
	switch name {
	case "process_order":
		return []template{
			{"validate_cart", nil, 3},
			{"process_payment", []string{"validate_cart"}, 3},
			{"update_inventory", []string{"process_payment"}, 2},
			{"create_order", []string{"update_inventory"}, 3},
			{"send_confirmation", []string{"create_order"}, 5},
		}
	case "customer_analytics":
		return []template{
			{"extract_orders", nil, 3},
			{"extract_users", nil, 5},
			{"extract_products", nil, 3},
			{"transform_customer_metrics", []string{"extract_orders", "extract_users"}, 2},
			{"transform_product_metrics", []string{"extract_orders", "extract_products"}, 2},
			{"generate_insights", []string{"transform_customer_metrics", "transform_product_metrics"}, 3},
			{"update_dashboard", []string{"generate_insights"}, 3},
			{"send_notifications", []string{"update_dashboard"}, 5},
		}
	case "user_registration":
		return []template{
			{"create_user_account", nil, 3},
			{"setup_billing_profile", []string{"create_user_account"}, 3},
			{"initialize_preferences", []string{"create_user_account"}, 3},
			{"send_welcome_sequence", []string{"setup_billing_profile", "initialize_preferences"}, 5},
			{"update_user_status", []string{"send_welcome_sequence"}, 2},
		}
	}
	return nil
}
