kubectl patch svc nginx-svc -p '{"spec":{"sessionAffinity":"None"}}'
