include "root" {
  path = find_in_parent_folders()
}

# Every stack stands on it.
dependency "platform" {
  config_path  = "../platform"
  skip_outputs = true
}
