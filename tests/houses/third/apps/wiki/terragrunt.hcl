include "root" {
  path = find_in_parent_folders("root.hcl")
}

dependency "gateway" {
  config_path  = "../gateway"
  skip_outputs = true
}
