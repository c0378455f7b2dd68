# A secret manager's agent that writes a token to a file, here Vault's (vault agent -config=vault-agent.hcl). The controller
# needs no provider for it: a spec names the file, tokenRef: {file: team-a/github}, beneath --token-dir. The agent renders
# the file anew when the secret changes, by a rename, and each sidecar that uses it serves with it within a second.

vault {
  address = "https://vault.example.org:8200"
}

auto_auth {
  method "approle" {
    config = {
      role_id_file_path                   = "/etc/vault-agent/role-id"
      secret_id_file_path                 = "/etc/vault-agent/secret-id"
      remove_secret_id_file_after_reading = false
    }
  }
}

template_config {
  static_secret_render_interval = "30s"
  exit_on_retry_failure         = true
}

template {
  contents             = "{{ with secret \"secret/data/team-a/github\" }}{{ .Data.data.token }}{{ end }}"
  destination          = "/etc/credproxy/tokens/team-a/github"
  perms                = "0640"
  group                = "credproxy"
  error_on_missing_key = true
}
