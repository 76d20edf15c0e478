package lifecycle

// BulkyPayloadKeys are the payload keys that hold an application's own data: megabytes of it, or people's. event_router
// leaves them out unless it is told otherwise. The slice is the caller's.
func BulkyPayloadKeys() []string {
	return []string{
		"task_context", "step_inputs", "step_results", "error_step_results", "results", "inputs", "context", "task",
	}
}

// SensitiveKeyParts are the parts of keys whose values nobody should see: the filter of Tasker itself. They are in lower
// case, and compared without regard to case. The slice is the caller's.
func SensitiveKeyParts() []string {
	return []string{
		"passw", "email", "secret", "token", "_key", "crypt", "salt", "certificate", "otp", "ssn",
	}
}
