include "root" {
  path = find_in_parent_folders()
}

# Every stack stands on it.
dependency "platform" {
  config_path  = "../platform"
  skip_outputs = true
}

# The secrets come from it.
dependency "vault" {
  config_path  = "../vault"
  skip_outputs = true
}

# The operator has to know ExternalSecret.
dependency "external-secrets" {
  config_path  = "../external-secrets"
  skip_outputs = true
}
