"""Who may operate an institution's instruments by themselves (上机授权), and how that is learnt."""
